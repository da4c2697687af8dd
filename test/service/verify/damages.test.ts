import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  cpSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../../shared/errors.ts';
import { rowSum } from '../../../shared/ledger/sqlite/row.ts';
import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';
import { STORE_NAMES } from '../../../shared/service/restore/identity.ts';
import type { Finding } from '../../../shared/service/verify/finding.ts';
import { count } from '../../support/counts.ts';
import { Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from './findings.ts';

/** `SMDPF_TEST_DAMAGES=200 npx vitest run test/service/verify/damages.test.ts` makes as many, and says what came of them. */
const asked = process.env.SMDPF_TEST_DAMAGES;
const DAMAGES = Number(asked ?? effort({ short: 18, long: 140 }));
const PROFILES = asked === undefined ? effort({ short: 200, long: 1_000 }) : 1_000;
const BOUND = 60;

let deployment: Deployment;
let config: RuntimeConfig;
/** The folder as it lies with the server stopped. */
let whole: string;
let requests: readonly Request[];
let expected: ReadonlyMap<string, string>;

/** mulberry32: the same damages for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

beforeAll(async () => {
  deployment = await Deployment.create({
    config: { packSize: 50, chunkSize: 20, inlineOrder: 2_000, workers: 0 },
  });
  await prepare(deployment, 'ORD', PROFILES);
  const euiccs = await registered(deployment, BOUND, { keys: 2 });
  const { runtime } = deployment;
  requests = [
    new Request('ORD', [{ eid: euiccs[0]!.eid }]),
    new Request(
      'ORD',
      euiccs.slice(1, BOUND).map(({ eid }) => ({ eid })),
    ),
  ];
  for (const request of requests) {
    let answer = await request.send(runtime);
    for (let wait = 0; answer.state === 'Pending' && wait < 500; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer = await request.fetch(runtime);
    }
    expect(answer.state).toBe('Done');
  }
  await runtime.audit.chain();
  await runtime.audit.archive();
  await runtime.close();
  whole = join(deployment.folder, 'whole');
  for (const name of readdirSync(deployment.folder))
    if (name !== 'whole') cpSync(join(deployment.folder, name), join(whole, name), { recursive: true });
  config = deployment.config;
  expected = await answers(config);
}, 120_000);
afterAll(async () => {
  rmSync(deployment.folder, { recursive: true, force: true });
});

/** What a deployment answers: to the repeats of all requests, and to its parties. */
async function answers(of: RuntimeConfig): Promise<ReadonlyMap<string, string>> {
  const runtime = await openRuntime(of, { lanes: 'inline' });
  try {
    const told = new Map<string, string>();
    for (const [i, request] of requests.entries()) {
      const { state, bppBatch } = await request.send(runtime);
      told.set(`request ${i}`, `${state} ${Buffer.from(bppBatch ?? []).toString('hex')}`);
    }
    return told;
  } finally {
    await runtime.close();
  }
}

/** A copy to damage, with a configuration of its own. */
function copy(number: number): { readonly folder: string; readonly config: RuntimeConfig } {
  const folder = join(deployment.folder, `copy-${number}`);
  cpSync(whole, folder, { recursive: true });
  const moved = (uri: string) => uri.replace(deployment.folder, folder);
  return {
    folder,
    config: { ...config, ledger: moved(config.ledger), vault: moved(config.vault), ppks: moved(config.ppks) },
  };
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => statSync(path).size > 0)
    .sort();

async function findingsAt(of: RuntimeConfig): Promise<Finding[]> {
  const runtime: Runtime = await openRuntime(of, { lanes: 'none', mayLack: STORE_NAMES });
  try {
    return await findingsOf(runtime);
  } finally {
    await runtime.close();
  }
}

/** Where the damage shows: at the start or in a verification, by name; or nowhere, and then nothing that is used changed. */
async function verdict(of: RuntimeConfig): Promise<string> {
  const started = await openRuntime(of, { lanes: 'none' })
    .then(async (runtime) => {
      const frozen = await runtime.standing.why();
      await runtime.close();
      return frozen === undefined ? undefined : `frozen: ${frozen}`;
    })
    .catch((error: unknown) => {
      if (error instanceof Fault) return `start: ${error.message}`;
      throw error;
    });
  if (started !== undefined) return started;
  const [first] = await findingsAt(of);
  return first === undefined ? 'nothing' : `${first.where} ${first.name}: ${first.problem}`;
}

type Damage = (folder: string, roll: (below: number) => number) => string;

const someFile = (folder: string, roll: (below: number) => number) => {
  const files = ['ledger.sqlite', 'vault', 'ppks'].flatMap((name) =>
    statSync(join(folder, name)).isDirectory() ? filesBelow(join(folder, name)) : [join(folder, name)],
  );
  return files[roll(files.length)]!;
};

const short = (folder: string, path: string) => path.slice(folder.length + 1);

const FILE_DAMAGES: readonly Damage[] = [
  function flip(folder, roll) {
    const path = someFile(folder, roll);
    const file = openSync(path, 'r+');
    const at = roll(fstatSync(file).size);
    const octet = Buffer.alloc(1);
    readSync(file, octet, 0, 1, at);
    octet[0]! ^= 1 << roll(8);
    writeSync(file, octet, 0, 1, at);
    closeSync(file);
    return `flipped a bit of octet ${at} of ${short(folder, path)}`;
  },
  function truncate(folder, roll) {
    const path = someFile(folder, roll);
    const file = openSync(path, 'r+');
    const size = roll(fstatSync(file).size);
    ftruncateSync(file, size);
    closeSync(file);
    return `cut ${short(folder, path)} to ${size} octets`;
  },
  function remove(folder, roll) {
    const path = someFile(folder, roll);
    rmSync(path);
    return `deleted ${short(folder, path)}`;
  },
  function swap(folder, roll) {
    const store = join(folder, ['vault', 'ppks'][roll(2)]!);
    const files = filesBelow(store);
    const [a, b] = [files[roll(files.length)]!, files[roll(files.length)]!];
    copyFileSync(a, join(folder, 'third'));
    copyFileSync(b, a);
    renameSync(join(folder, 'third'), b);
    return `swapped ${short(folder, a)} and ${short(folder, b)}`;
  },
];

/** Edits with the sum that belongs to them, as by somebody who knows the form of the file. */
const withRow = (
  folder: string,
  roll: (below: number) => number,
  where: string,
  edit: (text: string) => string | undefined,
) => {
  const database = new DatabaseSync(join(folder, 'ledger.sqlite'));
  const rows = database.prepare(`SELECT * FROM item WHERE ${where} ORDER BY partition, sort`).all();
  const { partition, sort, revision, attributes } = rows[roll(rows.length)]!;
  const key = { partition: String(partition), sort: String(sort) };
  const text = edit(String(attributes));
  if (text === undefined)
    database.prepare('DELETE FROM item WHERE partition = ? AND sort = ?').run(key.partition, key.sort);
  else
    database
      .prepare('UPDATE item SET attributes = ?, sum = ? WHERE partition = ? AND sort = ?')
      .run(text, rowSum(key, Number(revision), text), key.partition, key.sort);
  database.close();
  return `${key.partition} / ${key.sort}`;
};

const EDITS: readonly (readonly [what: string, where: string, edit: (text: string) => string | undefined])[] =
  [
    [
      'freed a bound one-time key',
      "partition LIKE 'euicc#%' AND sort = 'head' AND attributes LIKE '%\"claimed\"%'",
      (text) => text.replace('"claimed"', '"free"').replace(/,"by":"[^"]*"|"by":"[^"]*",/, ''),
    ],
    [
      'gave a bound item another ICCID',
      "sort LIKE 'chunk#%'",
      (text) => text.replace(/("iccid":"\d{17})(\d)/, (_, all, digit) => `${all}${(Number(digit) + 1) % 10}`),
    ],
    [
      'moved the supply back to its beginning',
      "sort = 'supply'",
      (text) => text.replace(/"next":\d+/, '"next":0'),
    ],
    [
      'moved the supply on',
      "sort = 'supply'",
      (text) => text.replace(/"next":(\d+)/, (_, next) => `"next":${Number(next) + 2}`),
    ],
    [
      'gave an ICCID another position',
      "partition LIKE 'iccid#%'",
      (text) => text.replace(/"position":(\d+)/, (_, at) => `"position":${Number(at) + 1}`),
    ],
    ['forgot a chunk', "sort LIKE 'chunk#%'", () => undefined],
    ['forgot the owner of a one-time key', "partition LIKE 'otpk#%'", () => undefined],
    ['forgot any item', 'true', () => undefined],
    [
      'changed the quantity of an order',
      "partition LIKE 'order#%' AND sort = 'head'",
      (text) => text.replace(/"quantity":(\d+)/, '"quantity":1'),
    ],
    [
      'took a member out of a job',
      "partition LIKE 'job#%' AND sort = 'head'",
      (text) => text.replace(/"chunkSize":\d+,?/, ''),
    ],
    [
      'changed a line of the audit log',
      "partition LIKE 'audit-line#%'",
      (text) => text.replace(/"event":"[^"]*"/, '"event":"call.refused"'),
    ],
  ];

/** How many damages of each kind were found where; those that were found nowhere left all answers as they were. */
function summaryOf(seed: number, shown: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of shown) {
    const kind = /^(?:flipped|cut|deleted|swapped)/.exec(line)?.[0] ?? 'edited';
    const end = line.slice(line.lastIndexOf(' -> ') + 4);
    const where = /^(?:start|frozen):/.test(end) ? 'found at the start' : 'found by a verification';
    const told = `${kind}, ${end === 'nothing' ? 'nothing that is used' : where}`;
    counts.set(told, (counts.get(told) ?? 0) + 1);
  }
  const lines = [...counts].sort().map(([told, count]) => `${String(count).padStart(5)} ${told}`);
  return [`${shown.length} damages, seed ${seed}`, ...lines].join('\n');
}

function edited(folder: string, roll: (below: number) => number): string {
  const [what, where, edit] = EDITS[roll(EDITS.length)]!;
  return `${what}: ${withRow(folder, roll, where, edit)}`;
}

describe('a deployment that was damaged', { tags: ['I11'] }, () => {
  it('is whole before: verification finds nothing', async () => {
    const { folder, config: of } = copy(0);
    expect(await findingsAt(of)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('shows it at the start or in a verification, by name, or answers as before', async () => {
    const seed = randomBytes(4).readUInt32BE();
    const shown: string[] = [];
    for (let number = 1; number <= DAMAGES; number++) {
      const roll = dice(seed + number);
      const { folder, config: of } = copy(number);
      const which = roll(FILE_DAMAGES.length + 1);
      const what = (FILE_DAMAGES[which] ?? edited)(folder, roll);
      const where = await verdict(of);
      shown.push(`${what} -> ${where}`);
      if (where === 'nothing')
        expect([seed, what, await answers(of)], `seed ${seed + number}`).toEqual([seed, what, expected]);
      rmSync(folder, { recursive: true });
    }
    count('mutations', DAMAGES);
    if (process.env.SMDPF_TEST_SHOW !== undefined) console.log(shown.join('\n'));
    if (asked !== undefined) console.log(summaryOf(seed, shown));
  }, 1_200_000);

  it.each(EDITS.map((edit) => edit[0]))('%s: it is found', async (name) => {
    const [, where, edit] = EDITS.find(([what]) => what === name)!;
    const { folder, config: of } = copy(10_000);
    const row = withRow(folder, dice(1), where, edit);
    const found = await verdict(of);
    expect([row, found]).not.toEqual([row, 'nothing']);
    count('mutations', 1);
    rmSync(folder, { recursive: true });
  });
});
