import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSite } from '../../site/check.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smdpf-site-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function found(files: Readonly<Record<string, string>>): string[] {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return checkSite(folder).map(({ file, what }) => `${file} ${what}`);
}

describe('the check of the site', () => {
  it('finds nothing where each link leads to a page and an anchor', () => {
    const index =
      '<h1 id="top">a</h1><a href="./b/c.html#here">c</a><a href="#top">up</a><a href="https://x.example">x</a>';
    expect(found({ 'index.html': index, 'b/c.html': '<h2 id="here">h</h2><a href="../">up</a>' })).toEqual(
      [],
    );
  });

  it.each([
    ['a page that is not there', '<a href="./b.html">b</a>', 'leads to ./b.html, which is not there'],
    ['an anchor that is not there', '<a href="#b">b</a>', 'leads to #b, and that page has no such anchor'],
    [
      'a script of another host',
      '<script src="https://cdn.example/a.js"></script>',
      'loads https://cdn.example/a.js',
    ],
    [
      'a picture of another host, by the scheme of the page',
      '<img src="//cdn.example/a.png">',
      'loads //cdn.example/a.png',
    ],
    [
      'a style that is not there',
      '<link rel="stylesheet" href="./a.css">',
      'leads to ./a.css, which is not there',
    ],
  ])('finds %s', (_, html, what) => {
    expect(found({ 'index.html': html })).toEqual([`index.html ${what}`]);
  });

  it('finds what a style or a script asks of another host', () => {
    const files = {
      'a.css': "@font-face{src:url('https://fonts.example/a.woff2')}",
      'a.js': 'fetch("https://count.example/visit")',
    };
    expect(found(files)).toEqual([
      'a.css asks https://fonts.example/a.woff2',
      'a.js asks https://count.example/visit',
    ]);
  });
});
