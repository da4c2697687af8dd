import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../../shared/ledger/ledger.ts';
import { closeLane } from '../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { missing, recount } from '../../shared/service/inventory/recount.ts';
import { Reaper } from '../../shared/service/life/reaper.ts';
import { CLAIMED_MS, LIFE_MS } from '../../shared/service/life/traces.ts';
import { chunkRecord, isBound, jobRecord } from '../../shared/service/records/job.ts';
import { ownerOfStripe, partitions } from '../../shared/service/records/keys.ts';
import { PPK_AUDIT_HEADS, PPK_IDENTITY } from '../../shared/service/records/object-names.ts';
import { orderStateRecord, packRecord } from '../../shared/service/records/order.ts';
import { standingRecord } from '../../shared/service/records/standing.ts';
import { verify } from '../../shared/service/verify/verify.ts';
import { openProfile } from '../service/es2f/open-pack.ts';
import { count } from '../support/counts.ts';
import { DEVICE_MAKER, Deployment } from '../support/deployment.ts';
import { effort, LONG } from '../support/effort.ts';
import { sharedSoftkey } from '../support/softkeys.ts';
import { batchFile, CRLS, crlFile, eidsFile, wrappingKeyUri } from './drill-files.ts';

/** `SMDPF_TEST_KILLS=500 npx vitest run test/runtime/kill-drill.test.ts`; npm test has kills of its own in kill.test.ts. */
const asked = process.env.SMDPF_TEST_KILLS;
const KILLS = asked === undefined ? effort({ short: 1, long: 12 }) : Number(asked);
/** Processes on the one folder at once. */
const AT_ONCE = 3;
const EUICCS_OF_A_LIFE = 16;
/** What a process may get done before it is killed; some are killed while they start. */
const MOST_DONE = 16;
const LONGEST_START_MS = 2_000;
/** Rounds of `KILLS` lives until something was bound; one is the rule. */
const MOST_ROUNDS = 10;
/** Unbound profiles that are opened, to see that opening works. */
const OPENED = 200;
const DRILLING = fileURLToPath(new URL('./drilling.ts', import.meta.url));
/** In one file, which starts in a tenth of the time; where it finds its packages. */
const BUNDLE = fileURLToPath(
  new URL(`../../node_modules/.cache/drilling-${process.pid}.mjs`, import.meta.url),
);

let deployment: Deployment;
const faults: string[] = [];

beforeAll(async () => {
  const config = {
    chunkSize: 4,
    packSize: 6,
    inlineOrder: 24,
    inlineLimit: 30_000,
    inlineReport: 6,
    notifier: 'none:',
  };
  deployment = await Deployment.create({ lanes: 'none', config });
  const { folder, ci } = deployment;
  const output = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
  await build({ entryPoints: [DRILLING], outfile: BUNDLE, logLevel: 'error', ...output });
  mkdirSync(join(folder, 'drill'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(deployment.config));
  for (let number = 2; number <= CRLS; number++)
    writeFileSync(crlFile(folder, number), ci.issueCrl({ number }));
}, 120_000);

afterAll(async () => {
  rmSync(BUNDLE, { force: true });
  await deployment?.close();
});

/** One process, killed at some moment. */
async function live(life: number): Promise<void> {
  const { folder, eum } = deployment;
  const euiccs = [...eum.production(EUICCS_OF_A_LIFE, 2)];
  const deviceManufacturers = [DEVICE_MAKER.identifier];
  writeFileSync(eidsFile(folder, life), JSON.stringify(euiccs.map(({ eid }) => eid)));
  writeFileSync(batchFile(folder, life), eum.euiccDataBatch(euiccs, { deviceManufacturers }));
  await sharedSoftkey(
    deployment.runtime.keys,
    wrappingKeyUri(folder, life),
    'aes-256',
    'wrapping',
    1 + (life % 8),
  );
  const child = spawn(process.execPath, [BUNDLE, folder, String(life)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('close', (_, signal) => resolve(signal)),
  );
  const kill = (withinMs: number) => void sleep(Math.random() * withinMs).then(() => child.kill('SIGKILL'));
  if (Math.random() < 0.1) kill(LONGEST_START_MS);
  let left = 1 + Math.random() * MOST_DONE;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'did') left -= 1;
    else if (line !== 'up') faults.push(`life ${life}: ${line}`);
    // in the middle of what comes next
    if (left <= 0) kill(20);
  }
  expect(await ended, `life ${life} ended by itself`).toBe('SIGKILL');
  count('kills', 1);
}

/** Brings all work to its end, and reaps as if a day had passed. */
async function settle(): Promise<void> {
  await deployment.reopen({ lanes: 'inline' });
  const { runtime } = deployment;
  await runtime.work.resume();
  while ((await runtime.context.ledger.query(partitions.openWork)).items.length > 0) await sleep(50);
  await runtime.wrappingRotation.rewrap();
  for (const afterMs of [LIFE_MS.used, LIFE_MS.used + CLAIMED_MS, LIFE_MS.used + 2 * CLAIMED_MS].map(
    (ms) => ms + 1_000,
  )) {
    const reaper = new Reaper({ ...runtime.context, now: () => Date.now() + afterMs }, closeLane);
    for (let destroyed = 1; destroyed > 0; ) ({ destroyed } = await reaper.round());
  }
  await runtime.audit.chain();
}

async function* items(): AsyncGenerator<Item> {
  const { ledger } = deployment.runtime.context;
  let cursor: string | undefined;
  do {
    const walk = await ledger.walk(500, cursor);
    for (const { item } of walk.found) if (item !== undefined) yield item;
    cursor = walk.cursor;
  } while (cursor !== undefined);
}

/** What the ledger says was bound, which PPKs count, and which orders are open. */
async function tell() {
  const bound: { position: number; jobId: string; iccid: string; eid: string; otpk: string }[] = [];
  const orders = new Map<string, string>();
  const packs: { orderId: string; pack: number; ppks: string; dataKey: string; iccids: readonly string[] }[] =
    [];
  const open = new Set<string>();
  const orderIds: string[] = [];
  let anchor: string | undefined;
  for await (const item of items()) {
    const { partition, sort } = item;
    const name = partition.slice(partition.indexOf('#') + 1);
    if (partition.startsWith('job#') && sort === 'head') orders.set(name, jobRecord.from(item).orderId);
    else if (partition.startsWith('job#') && sort.startsWith('chunk#'))
      bound.push(
        ...chunkRecord
          .from(item)
          .outcomes.flatMap((one) => (isBound(one) ? [{ ...one, jobId: ownerOfStripe(partition) }] : [])),
      );
    else if (partition.startsWith('order#') && sort === 'head') orderIds.push(name);
    else if (partition.startsWith('order#') && sort.startsWith('pack#'))
      packs.push({
        orderId: ownerOfStripe(partition),
        pack: Number(sort.slice('pack#'.length)),
        ...packRecord.from(item),
      });
    else if (
      partition.startsWith('order#') &&
      sort === 'state' &&
      orderStateRecord.from(item).state === 'Open'
    )
      open.add(name);
    else if (partition === 'ledger' && sort === 'standing') ({ anchor } = standingRecord.from(item));
  }
  return {
    bound: bound.map((one) => ({ ...one, orderId: orders.get(one.jobId)! })),
    packs,
    open,
    anchor,
    orderIds,
  };
}

describe.runIf(LONG || asked !== undefined)(
  'after kills in the middle of everything',
  {
    tags: ['I1', 'I2', 'I5', 'I10', 'I11'],
  },
  () => {
    it(`${KILLS} of ${AT_ONCE} processes at once on one folder: verification finds nothing, counts equal a recount, no PPK that must be gone opens`, {
      timeout: 10_800_000,
    }, async () => {
      let next = 0;
      let told: Awaited<ReturnType<typeof tell>> | undefined;
      const kill = async (kills: number) => {
        while (next < kills) await live(next++);
      };
      // few lives, each killed early, may all have ended before one was asked for a BPP: then there is nothing to show
      for (let round = 1; told === undefined || told.bound.length === 0; round++) {
        expect(round, 'rounds of kills until one of them has bound').toBeLessThanOrEqual(MOST_ROUNDS);
        await Promise.all(Array.from({ length: AT_ONCE }, () => kill(KILLS * round)));
        expect(faults).toEqual([]);
        await settle();
        told = await tell();
      }

      const { runtime } = deployment;
      const findings = [];
      let looked = 0;
      for await (const step of verify(runtime.unguarded)) {
        findings.push(...step.findings);
        looked += step.looked;
      }
      expect(findings).toEqual([]);

      const { bound, packs, open, anchor, orderIds } = told;
      for (const orderId of orderIds)
        expect(missing(await recount(runtime.context, orderId)), `counts of ${orderId}`).toEqual({});
      for (const member of ['iccid', 'otpk'] as const)
        expect(new Set(bound.map((one) => one[member])).size, member).toBe(bound.length);

      const counting = new Set(packs.flatMap(({ ppks, dataKey }) => [ppks, dataKey]));
      const lost: string[] = [];
      for await (const name of runtime.context.ppks.names())
        if (
          !counting.has(name) &&
          name !== PPK_IDENTITY &&
          name !== anchor &&
          !name.startsWith(PPK_AUDIT_HEADS)
        )
          lost.push(name);
      expect(lost, 'PPKs and data keys of attempts that lost').toEqual([]);

      const isBoundAt = new Set(bound.map(({ orderId, position }) => `${orderId} ${position}`));
      for (const { orderId, position } of bound)
        await expect(openProfile(runtime, orderId, position), `${orderId} ${position}`).rejects.toThrow(
          'has no PPK',
        );
      let opened = 0;
      for (const { orderId, pack, iccids } of packs)
        for (const place of iccids.keys()) {
          const position = pack * 6 + place;
          if (!open.has(orderId) || isBoundAt.has(`${orderId} ${position}`) || opened === OPENED) continue;
          expect((await openProfile(runtime, orderId, position)).iccid).toBe(iccids[place]);
          opened += 1;
        }
      console.log(
        `${next} kills: counts of ${orderIds.length} orders equal a recount, ${bound.length} bound, ${packs.length} packs, ${looked} things verified, ${bound.length} bound profiles that do not open, ${opened} unbound that do`,
      );
    });
  },
);
