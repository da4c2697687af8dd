import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** A Markdown table. */
export const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/**
 * Holds the table of a document, which stands between two comments of its name, to what the code says. With
 * `UPDATE_DOCS=1` it is written in place of being compared.
 */
export function expectTable(document: string, name: string, wanted: string): void {
  const url = new URL(`../../docs/${document}`, import.meta.url);
  const text = readFileSync(url, 'utf8');
  const begin = `<!-- table: ${name} -->\n`;
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf('<!-- end of table -->', from);
  expect(text.indexOf(begin), `docs/${document} has no ${begin}`).toBeGreaterThan(-1);
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(url, `${text.slice(0, from)}${wanted}\n${text.slice(to)}`);
  else expect(text.slice(from, to)).toBe(`${wanted}\n`);
}
