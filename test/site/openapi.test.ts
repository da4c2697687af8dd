import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { functionPaths } from '../../shared/gsma/functions/index.ts';
import { type OpenApi, REFERENCE, referencePages } from '../../site/openapi.ts';

describe('the reference of the interface', () => {
  const api = parse(readFileSync('shared/ifpp-draft1/openapi.yaml', 'utf8')) as OpenApi;
  const pages = referencePages(api);

  it('has a heading for every function, and its status codes', () => {
    const text = [...pages.values()].join('\n');
    const names = functionPaths.map((path) => path.replaceAll('/', '.'));
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !text.includes(`## ${name}\n`))).toEqual([]);
    expect(pages.get(`${REFERENCE}/es2f`)).toContain('`8.2/2.1 profileInvalid`');
  });

  it('has every schema, with what each member is', () => {
    const schemas = pages.get(`${REFERENCE}/schemas`)!;
    expect(Object.keys(api.components.schemas).filter((name) => !schemas.includes(`\n## ${name}\n`))).toEqual(
      [],
    );
    expect(schemas).toContain('| `number` | yes | string, pattern `^[0-9]{1,49}$` | cRLNumber in decimal |');
  });

  it('says on each page for whom it is', () => {
    for (const [page, text] of pages) expect(text, page).toMatch(/^# .+\n\nFor \w/);
  });
});
