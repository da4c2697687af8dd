import { describe, expect, it } from 'vitest';
import { escaped, mappedLinks, slug } from '../../site/markdown.ts';

const MAPPED = (target: string) => `to/${target}`;

describe('Markdown of the site', () => {
  it('has links within the repository mapped, with their anchors, and no others', () => {
    const text = '[`a`](a.md#b), [b](https://b.example), [c](#c)\n[d](d.md)';
    expect(mappedLinks(text, MAPPED)).toBe('[`a`](to/a.md#b), [b](https://b.example), [c](#c)\n[d](to/d.md)');
  });

  it('keeps code as it is', () => {
    const text = 'a `[b](c.md) <d> {{e}}`\n```sh\n[b](c.md) <d> {{e}}\n```\n\n    <d> {{e}}';
    expect(mappedLinks(escaped(text), MAPPED)).toBe(text);
  });

  it('shows what would be HTML or a template as text', () => {
    expect(escaped('a <script> {{b}}<br><https://c.example>')).toBe(
      'a &lt;script> &#123;&#123;b}}<br><https://c.example>',
    );
  });

  it.each([
    ['Two persons', 'two-persons'],
    ['13. Is the log whole, and where?', '13-is-the-log-whole-and-where'],
    ['`es2f.getOrder` & ES9+', 'es2fgetorder--es9'],
  ])('anchors %s as GitHub does', (heading, anchor) => {
    expect(slug(heading)).toBe(anchor);
  });
});
