import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRuntime } from '../../shared/runtime.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';
import { COMMIT_RECORDS, parseCommitRecordName } from '../../shared/service/records/object-names.ts';
import { assembleBppBatch, type PersonalisedEuicc } from '../../sim/index.ts';
import {
  auditLines,
  positionsOf,
  ppksLeft,
  prepare,
  Request,
  registered,
  triplesOf,
} from '../service/scenario.ts';
import { count } from '../support/counts.ts';
import { Deployment } from '../support/deployment.ts';
import { effort, LONG } from '../support/effort.ts';
import { answerHash } from './answer-hash.ts';

const ITEMS = effort({ short: 500, long: 2_000 });
const CHUNK = 50;
/** Items that are processed when the server is killed, the next time a few milliseconds after. */
const KILLS = LONG ? [0, 400, 900, 1_500] : [0, 300];
const SERVING = fileURLToPath(new URL('./serving.ts', import.meta.url));

let deployment: Deployment;
let euiccs: readonly PersonalisedEuicc[];

beforeAll(async () => {
  const config = { chunkSize: CHUNK, inlineLimit: 10_000, inlineOrder: ITEMS, workers: 2 };
  deployment = await Deployment.create({ config });
  await prepare(deployment, 'ORD-1', ITEMS);
  euiccs = await registered(deployment, ITEMS);
}, 120_000);

afterAll(() => deployment?.close());

interface Served {
  /** Items processed when it ended. */
  readonly processed: number;
  /** SHA-256 of the answer, if it came so far. */
  readonly done: string | undefined;
}

/** A server that is killed once so many items are processed, `delayMs` later. */
async function serve(args: readonly string[], killAt?: number, delayMs = 0): Promise<Served> {
  const child: ChildProcess = spawn(process.execPath, [SERVING, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let processed = 0;
  let done: string | undefined;
  const lines = createInterface({ input: child.stdout! });
  const ended = new Promise((resolve) => child.once('close', resolve));
  for await (const line of lines) {
    const [word, value] = line.split(' ');
    if (word === 'done') done = value;
    else processed = Number(value);
    if (killAt === undefined || processed < killAt) continue;
    await sleep(delayMs);
    child.kill('SIGKILL');
  }
  await ended;
  return { processed, done };
}

it('a server killed again and again in the middle of a job completes it: nothing twice, nothing lost (I1–I4)', {
  tags: ['I1', 'I2', 'I3', 'I4'],
  timeout: 90_000,
}, async () => {
  const request = new Request(
    'ORD-1',
    euiccs.map(({ eid }) => ({ eid })),
  );
  const files = {
    config: join(deployment.folder, 'config.json'),
    request: join(deployment.folder, 'request.der'),
  };
  await writeFile(files.config, JSON.stringify(deployment.config));
  await writeFile(files.request, request.der);
  const args = [files.config, files.request, request.hex];

  let before = 0;
  for (const killAt of KILLS) {
    const { processed, done } = await serve(args, killAt, Math.random() * 40);
    expect(done, 'the kill came in the middle').toBeUndefined();
    expect(processed, 'nothing that was processed is lost').toBeGreaterThanOrEqual(before);
    before = processed;
    count('kills', 1);
  }
  const { done } = await serve(args);
  expect(done).toMatch(/^[0-9a-f]{64}$/);

  const runtime = await openRuntime(deployment.config);
  try {
    const answer = await request.send(runtime);
    expect(await answerHash(runtime, answer)).toBe(done);
    expect(await answerHash(runtime, await request.fetch(runtime))).toBe(done);
    expect(answer).toMatchObject({ state: 'Done', items: ITEMS, processed: ITEMS, failed: [] });

    const octets = new Map<string, Uint8Array>();
    for (const part of answer.parts!) octets.set(part.name, await runtime.context.vault.get(part));
    const bppBatch = assembleBppBatch(answer.manifest!, (name) => octets.get(name)!);
    const triples = triplesOf({ ...answer, bppBatch } as BppAnswer).map((triple) => triple.split(' '));
    for (const member of [0, 1, 2]) expect(new Set(triples.map((one) => one[member])).size).toBe(ITEMS);
    expect(new Set(triples.map(([eid]) => eid))).toEqual(new Set(euiccs.map(({ eid }) => eid)));
    count('items', ITEMS);

    expect(await positionsOf(runtime, 'ORD-1')).toMatchObject({ supply: [], returned: [] });
    expect(await ppksLeft(runtime, 'ORD-1')).toEqual([]);
    expect((await runtime.context.ledger.query('open-work')).items).toEqual([]);
    expect(await auditLines(runtime, 'chunk.committed', {})).toBe(ITEMS / CHUNK);
    let commits = 0;
    for await (const name of runtime.context.vault.names(COMMIT_RECORDS))
      if (parseCommitRecordName(name).jobId === request.jobId('test')) commits += 1;
    expect(commits).toBe(ITEMS / CHUNK);
  } finally {
    await runtime.close();
  }
});
