import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryOf, fileOf } from '../../lib/entry.ts';
import { API_FUNCTIONS, lambdaOf } from '../../lib/functions.ts';
import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { operations } from '../support/openapi.ts';

/**
 * The recipe "an interface function" of CONTRIBUTING.md. What is missing in one of its places is named by the function;
 * the tests of openapi.test.ts, own-and-other.test.ts and grants.test.ts run for each function of this list as well.
 */
const FOLDER = new URL('../../shared/gsma/functions/', import.meta.url);
const INTERFACES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'common')
  .map(({ name }) => name);
const files = INTERFACES.flatMap((name) =>
  readdirSync(new URL(`${name}/`, FOLDER)).map((file) => `${name}/${file}`),
);

it.each(files)(
  'the row of shared/gsma/functions/%s is in index.ts, under the path that its file names',
  (file) => {
    const path = functionPaths.find((name) => fileOf(name) === file);
    expect(path, `no function of functions/index.ts belongs to ${file}`).toBeDefined();
  },
);

describe.each(functionPaths)('%s', (path) => {
  const fn = functionAt(path);
  const name = path.slice(path.indexOf('.') + 1);

  it('is the export of its own name in the file that its path names', async () => {
    expect(files).toContain(fileOf(path));
    const module = (await import(new URL(fileOf(path), FOLDER).href)) as Record<string, unknown>;
    expect(module[name]).toBe(fn);
  });

  it('is in openapi.yaml', () => {
    expect([...operations.keys()]).toContain(path);
  });

  it('is in a Lambda of its own or of the functions for people, with the ports of its row', () => {
    expect(API_FUNCTIONS[path]).toMatchObject(fn.needs);
    expect(entryOf(lambdaOf(path), 'aws')).toContain(`shared/gsma/functions/${fileOf(path)}`);
  });

  it('says what is uploaded for it where it takes a transferId, and its interface opens uploads for that', () => {
    const takes = Object.keys(fn.body.members).some((member) => /transferId$/i.test(member));
    if (name === 'openTransfer') {
      const others = functionPaths
        .map(functionAt)
        .filter((other) => other !== fn && sameInterface(other.path, path));
      expect([...(fn.transfers ?? [])].sort()).toEqual(
        others.flatMap((other) => other.transfers ?? []).sort(),
      );
    } else expect((fn.transfers ?? []).length > 0).toBe(takes);
  });
});

const sameInterface = (one: string, other: string) => one.split('.')[0] === other.split('.')[0];

/** One row each, as docs/functions.md has it: `npx vitest run test/gsma/functions.test.ts -u` writes it anew. */
it('docs/functions.md shows the row of every function', async () => {
  const list = (items: readonly string[]) => (items.length === 0 ? '–' : items.join(', '));
  const rows = functionPaths.map((path) => {
    const { role, reaches, transfers = [], needs, wholeCore = false } = functionAt(path);
    const { keys = [], ...ports } = needs;
    const named = Object.entries(ports).map(([port, use]) => (use === true ? port : `${port} (${use})`));
    const core = wholeCore ? ['a whole core'] : [];
    const keyNames = keys.length === 0 ? [] : [`keys (${keys.join(', ')})`];
    return `| \`${path}\` | ${role} | ${list(reaches)} | ${list(transfers)} | ${list([...named, ...keyNames, ...core])} |`;
  });
  const text = [
    '# Functions of the interfaces',
    '',
    'For implementers of the other side, and for reviewers of who may call what.',
    '',
    'Made from the rows in `shared/gsma/functions` by `test/gsma/functions.test.ts`. Requests, answers and status codes are in',
    '[openapi.yaml](../shared/ifpp-draft1/openapi.yaml).',
    '',
    '`reaches`: objects that belong to somebody and that a call names; those of another party are answered as if they did not',
    'exist (I7). `uploads`: what `openTransfer` of the interface is for. `needs`: what the function may do beside the ledger,',
    'which each has; on AWS its role, its configuration and its bundle have no more.',
    '',
    '| function | role | reaches | uploads | needs |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../../docs/functions.md');
});
