import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOCUMENTS, ROOT } from './documents.ts';

/** Targets of links within the repository, without the part after #. */
function linked(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .map((target) => target.split('#')[0]!);
}

/** Parts of a path that stand for a name of the reader's. */
const PLACEHOLDER = /\b(?:INTERFACE|FUNCTION|SCHEME|FOLDER)\b/;

/** Paths of sources that the text names in code spans, from the root, from shared/ or within a room of the service. */
function named(text: string): string[] {
  return [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|md|yaml|asn|sh|json))`/g)]
    .map(([, path]) => path!)
    .filter((path) => !PLACEHOLDER.test(path));
}

const places = (path: string) => [path, `shared/${path}`, `shared/service/${path}`, `docs/${path}`];

describe.each(DOCUMENTS)('%s', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8');

  it('links to nothing that is not there', () => {
    const from = dirname(join(ROOT, document));
    expect(linked(text).filter((target) => !existsSync(join(from, target)))).toEqual([]);
  });

  it('names no source file that is not there', () => {
    expect(
      named(text).filter((path) => !places(path).some((place) => existsSync(join(ROOT, place)))),
    ).toEqual([]);
  });
});
