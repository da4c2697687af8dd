import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GROUPS, PAGES } from '../../site/readers.ts';
import { ROOT } from './documents.ts';

const documents = readdirSync(join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const grouped = GROUPS.flatMap((group) => group.documents);

describe('the documents by reader', () => {
  it('have every file of docs/ in a group, and each document once', () => {
    expect(documents.filter((document) => !grouped.includes(document))).toEqual([]);
    expect(grouped.filter((document) => !existsSync(join(ROOT, document)))).toEqual([]);
    expect(grouped.length).toBe(new Set(grouped).size);
    expect(PAGES.size).toBe(new Set(PAGES.values()).size);
  });

  it.each(grouped)('%s says for whom it is, right under its title', (document) => {
    expect(readFileSync(join(ROOT, document), 'utf8')).toMatch(/^# .+\n\nFor \w/);
  });
});
