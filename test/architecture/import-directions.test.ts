import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import sdkPackage from '../../sdk/typescript/package.json' with { type: 'json' };
import { arrowsOf, circles, roomOf, wrongArrows } from './arrows.ts';
import { APART, FLOORS } from './floors.ts';
import { imported, type SourceFile, sourceTree } from './source-tree.ts';

const files = sourceTree(
  'shared',
  'sim',
  'conform',
  'cli',
  'console/build',
  'console/server',
  'console/web/src',
  'lambdas',
  'localstack',
  'lib',
  'bench',
  'world',
);
const arrows = arrowsOf(files);
const rooms = FLOORS.flatMap((floor) => floor.rooms);

describe('the floors of the house', () => {
  it('give every source file a room', () => {
    expect(files.length).toBeGreaterThan(500);
    expect(files.map(({ path }) => path).filter((path) => roomOf(path) === undefined)).toEqual([]);
  });

  it('name only rooms that exist, each once', () => {
    const root = join(import.meta.dirname, '../..');
    expect(rooms.filter((room) => !existsSync(join(root, room)))).toEqual([]);
    expect(rooms.length).toBe(new Set(rooms).size);
    expect(Object.keys(APART).filter((room) => !rooms.includes(room))).toEqual([]);
  });
});

describe('imports', () => {
  it('run from a room to rooms on floors below, never up or sideways', {
    tags: ['DPFF01', 'DPFF02', 'DPFF03'],
  }, () => {
    expect(arrows.length).toBeGreaterThan(2_000);
    expect(wrongArrows(arrows)).toEqual([]);
  });

  it('make no circle between files', () => {
    expect(circles(arrows)).toEqual([]);
  });
});

describe('the SDKs', () => {
  const of = (language: string, ending: RegExp) => {
    const folder = join(import.meta.dirname, '../../sdk', language);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => `sdk/${language}/${name}`)
      .filter((path) => ending.test(path) && !/node_modules|[/]dist[/]|[/]build[/]/.test(path))
      .map((path) => ({ path, text: readFileSync(join(import.meta.dirname, '../..', path), 'utf8') }));
  };

  it('import nothing of the server or its counterparts, so that they can be taken out of this repository', () => {
    const files = of('typescript', /\.m?[jt]s$/);
    expect(files.length).toBeGreaterThan(8);
    const outside = (path: string) => !path.startsWith('sdk/typescript/');
    expect(files.flatMap(imported).filter(outside)).toEqual([]);
    const named = files.flatMap(({ text }) =>
      [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name!),
    );
    const known = [...Object.keys(sdkPackage.dependencies), 'node:', 'smdpf-sdk'];
    expect(named.filter((name) => !known.some((start) => name.startsWith(start)))).toEqual([]);
  });

  it('of Python has no path to sources of the server, but of the command for its example', () => {
    const files = of('python', /src[/].*\.py$/);
    expect(files.length).toBeGreaterThan(8);
    expect(files.filter(({ text }) => /\b(?:shared|cli|sim)\//.test(text)).map(({ path }) => path)).toEqual(
      [],
    );
  });
});

describe('an import in a wrong direction is shown as an arrow', () => {
  const wrong = (path: string, text: string) => wrongArrows(arrowsOf([{ path, text }]));

  it.each<[string, SourceFile, string]>([
    [
      'up, from codec to crypto',
      { path: 'shared/codec/tlv.ts', text: "import { suite } from '../crypto/suite.ts';" },
      'shared/codec/tlv.ts → shared/crypto/suite.ts: shared/codec may not import shared/crypto',
    ],
    [
      'sideways, of a type, from the ledger to the vault',
      { path: 'shared/ledger/ledger.ts', text: "import type { Ref } from '../vault/vault.ts';" },
      'shared/ledger/ledger.ts → shared/vault/vault.ts: shared/ledger may not import shared/vault',
    ],
    [
      'up between rooms of the service, in an `export … from`',
      { path: 'shared/service/records/order.ts', text: "export { x } from '../es2f/orders.ts';" },
      'shared/service/records/order.ts → shared/service/es2f/orders.ts: shared/service/records may not import shared/service/es2f',
    ],
    [
      'by `import()`, from the service to the command line',
      { path: 'shared/service/work.ts', text: "await import('../../cli/program.ts');" },
      'shared/service/work.ts → cli/program.ts: shared/service/work.ts may not import cli',
    ],
    [
      'by `import()` of a type',
      { path: 'shared/pki/crl.ts', text: "type A = import('../keys/provider.ts').KeyProvider;" },
      'shared/pki/crl.ts → shared/keys/provider.ts: shared/pki may not import shared/keys',
    ],
    [
      'from a counterpart to a codec of the server',
      { path: 'sim/eum/eum.ts', text: "import { readTlv } from '../../shared/codec/tlv.ts';" },
      'sim/eum/eum.ts → shared/codec/tlv.ts: sim may not import shared/codec, only shared/codec/bytes.ts, shared/ifpp-draft1/vectors/given.json',
    ],
    [
      'from the judge of the other side to a codec of the server',
      { path: 'conform/eum/eum.ts', text: "import { readTlv } from '../../shared/codec/tlv.ts';" },
      'conform/eum/eum.ts → shared/codec/tlv.ts: conform may not import shared/codec, only sim, shared/codec/bytes.ts',
    ],
    [
      'to a folder that has no room',
      { path: 'cli/program.ts', text: "import '../elsewhere/x.ts';" },
      'cli/program.ts → elsewhere/x.ts: elsewhere/x.ts is in no room',
    ],
  ])('an import %s is named', (_which, { path, text }, arrow) => {
    expect(wrong(path, text)).toEqual([arrow]);
  });

  it('imports of the own room, of rooms below and of packages are right', () => {
    const text = `import { a } from './certificate.ts'; import { b } from '../crypto/suite.ts'; import 'node:fs';`;
    expect(wrong('shared/pki/crl.ts', text)).toEqual([]);
  });

  it('a circle of files names them in order', () => {
    const one = { path: 'shared/pki/a.ts', text: "import './b.ts';" };
    const two = { path: 'shared/pki/b.ts', text: "import type { C } from './c.ts';" };
    const three = { path: 'shared/pki/c.ts', text: "export * from './a.ts';" };
    expect(circles(arrowsOf([one, two, three]))).toEqual([
      'shared/pki/a.ts → shared/pki/b.ts → shared/pki/c.ts → shared/pki/a.ts',
    ]);
  });
});
