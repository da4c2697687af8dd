import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';
import { signInstallationResult, signOtherNotification } from '../../sim/euicc/results.ts';
import { encodeProfileLoadingReport, type PersonalisedEuicc } from '../../sim/index.ts';
import { count } from '../support/counts.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { effort } from '../support/effort.ts';
import {
  type BoundBppItem,
  boundOf,
  positionsOf,
  ppksLeft,
  prepare,
  Request,
  registered,
} from './scenario.ts';

const QUANTITY = 6;
const PACK = 4;
const EUICCS = 4;
const ORDERS = 2;

let deployment: Deployment;
let runs = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: PACK } });
});

afterAll(() => deployment?.close());

/** What the outside has seen: whatever was answered once must stay true. */
class World {
  /** `extras` are replacements that were made beyond the quantity, each in a pack of its own. */
  readonly orders: readonly { orderId: string; iccids: readonly string[]; extras: string[] }[];
  readonly euiccs: readonly PersonalisedEuicc[];
  readonly answered: { request: Request; answer: BppAnswer }[] = [];
  /** Bound items by ICCID. */
  readonly bound = new Map<string, BoundBppItem>();
  readonly keys = new Map<string, string>();
  readonly installed = new Set<string>();
  readonly deleted = new Set<string>();
  readonly released = new Set<string>();
  /** By the ICCID that was replaced. */
  readonly replacements = new Map<string, { iccid: string; eid: string }>();

  constructor(orders: World['orders'], euiccs: readonly PersonalisedEuicc[]) {
    this.orders = orders;
    this.euiccs = euiccs;
  }

  static async create(): Promise<World> {
    const run = runs++;
    const orders = [];
    for (let i = 0; i < ORDERS; i++) {
      const orderId = `RUN-${run}-${i}`;
      const iccidStart = `8977${String(run).padStart(7, '0')}${i}000000`;
      const personalisation = { iccidStart, keys: 'template' } as const;
      const iccids = await prepare(deployment, orderId, QUANTITY, { personalisation });
      orders.push({ orderId, iccids, extras: [] });
    }
    return new World(orders, await registered(deployment, EUICCS, { keys: 3 }));
  }

  take(request: Request, answer: BppAnswer): void {
    this.answered.push({ request, answer });
    for (const item of boundOf(answer)) {
      const { iccid, keyId, transactionId } = item.bound;
      expect(this.bound.has(iccid), 'I2: an ICCID went out before').toBe(false);
      expect(this.released.has(iccid), 'a released ICCID goes out no more').toBe(false);
      for (const [, kept] of this.replacements)
        if (kept.iccid === iccid) expect(item.eid, 'a replacement is kept for its eUICC').toBe(kept.eid);
      expect(this.keys.has(toHex(keyId)), 'I1: a one-time key went out before').toBe(false);
      this.bound.set(iccid, item);
      this.keys.set(toHex(keyId), toHex(transactionId));
    }
  }
}

type Step = (world: World) => Promise<void>;

const services = () => deployment.runtime.services;

/** Whatever is refused as a whole changes nothing; only a fault is wrong. */
async function refusable(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

const orderIndex = fc.nat(ORDERS - 1);

const request: fc.Arbitrary<Step> = fc
  .record({
    order: orderIndex,
    items: fc.array(
      fc.record({
        euicc: fc.nat(EUICCS - 1),
        additional: fc.boolean(),
        iccid: fc.option(fc.nat(QUANTITY - 1), { freq: 4 }),
        key: fc.option(fc.nat(2), { freq: 4 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    callers: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ order, items, callers }) => async (world) => {
    const { orderId, iccids } = world.orders[order]!;
    const made = new Request(
      orderId,
      items.map(({ euicc, additional, iccid, key }) => {
        const { eid, oneTimeKeys } = world.euiccs[euicc]!;
        return {
          eid,
          additional,
          ...(iccid === null ? {} : { iccid: iccids[iccid]! }),
          ...(key === null ? {} : { keyId: oneTimeKeys[key]!.keyId }),
        };
      }),
    );
    await refusable(async () => {
      const answers = await Promise.all(Array.from({ length: callers }, () => made.send(deployment.runtime)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      world.take(made, answers[0]!);
    });
  });

/** Two requests at once that want the same profiles and the same keys. */
const race: fc.Arbitrary<Step> = fc
  .record({ order: orderIndex, euicc: fc.nat(EUICCS - 1), additional: fc.boolean() })
  .map(({ order, euicc, additional }) => async (world) => {
    const { orderId } = world.orders[order]!;
    const item = { eid: world.euiccs[euicc]!.eid, additional };
    const rivals = [new Request(orderId, [item]), new Request(orderId, [item])];
    await refusable(async () => {
      const answers = await Promise.all(rivals.map((rival) => rival.send(deployment.runtime)));
      for (const [i, answer] of answers.entries()) world.take(rivals[i]!, answer);
      if (!additional)
        expect(answers.flatMap(boundOf).length, 'one profile of the order for an EID').toBeLessThan(2);
    });
  });

const repeat: fc.Arbitrary<Step> = fc.nat().map((n) => async (world) => {
  if (world.answered.length === 0) return;
  const { request: made, answer } = world.answered[n % world.answered.length]!;
  expect(await made.send(deployment.runtime), 'I4: another answer to the same request').toEqual(answer);
  expect(await made.fetch(deployment.runtime)).toEqual(answer);
});

const cancel: fc.Arbitrary<Step> = fc
  .record({ order: orderIndex, iccid: fc.option(fc.nat(QUANTITY - 1), { freq: 6 }) })
  .map(({ order, iccid }) => async (world) => {
    const { orderId, iccids } = world.orders[order]!;
    await refusable(async () => {
      const one = iccid === null ? {} : { iccid: iccids[iccid]! };
      const { cancelled } = await services().orders.cancelOrder(OPERATOR, { orderId, ...one });
      if (iccid !== null && cancelled === 1) expect(world.bound.has(iccids[iccid]!)).toBe(false);
    });
  });

const closeKeys: fc.Arbitrary<Step> = fc.nat(EUICCS - 1).map((euicc) => async (world) => {
  await services().ingest.closeKeys(EUM, [{ eid: world.euiccs[euicc]!.eid }]);
});

const report: fc.Arbitrary<Step> = fc
  .record({ n: fc.nat(), word: fc.constantFrom('installed', 'failed', 'fpa') })
  .map(({ n, word }) => async (world) => {
    const items = [...world.bound.values()];
    const item = items[n % items.length];
    if (item === undefined) return;
    const { transactionId, iccid } = item.bound;
    const euicc = world.euiccs.find(({ eid }) => eid === item.eid)!;
    const result = () =>
      signInstallationResult(
        {
          transactionId,
          notification: { seqNumber: 1, event: 'install', address: '', iccid },
          smdpOid: '2.999.10',
          finalResult:
            word === 'installed'
              ? { isdpAid: fromHex('a0000005591010ffffffff8900001000') }
              : { command: 'loadProfileElements', reason: 'installFailedDueToInsufficientMemoryForProfile' },
        },
        euicc.key,
      );
    const reported = encodeProfileLoadingReport({
      reportId: randomBytes(8),
      items: [
        word === 'fpa'
          ? { fpaError: { transactionId, eid: item.eid, cause: 'damaged' } }
          : { euiccResult: result() },
      ],
    });
    const { rejected } = await services().reports.sendProfileLoadingReport(DEVICE_MAKER, reported);
    if (word === 'installed') world.installed.add(iccid);
    const contradicts = word === 'failed' && world.installed.has(iccid) && !world.deleted.has(iccid);
    expect(rejected.map(({ code }) => code)).toEqual(contradicts ? ['resultContradicts'] : []);
  });

/** The eUICC signs that a profile is gone: the device is stock again, the profile is not. */
const deletion: fc.Arbitrary<Step> = fc.nat().map((n) => async (world) => {
  const items = [...world.bound.values()];
  const item = items[n % items.length];
  if (item !== undefined) await deleteProfile(world, item);
});

async function deleteProfile(world: World, item: BoundBppItem): Promise<void> {
  const { iccid } = item.bound;
  const { key, euiccCert } = world.euiccs.find(({ eid }) => eid === item.eid)!;
  const notification = { seqNumber: 9, event: 'delete', address: 'smdpf.example.com', iccid } as const;
  const otherSigned = signOtherNotification(notification, key, euiccCert, deployment.eum.ca.certificate);
  const report = encodeProfileLoadingReport({
    reportId: randomBytes(8),
    items: [{ otherSigned }],
  });
  const { rejected } = await services().reports.sendProfileLoadingReport(DEVICE_MAKER, report);
  expect(rejected).toEqual([]);
  world.deleted.add(iccid);
}

const release: fc.Arbitrary<Step> = fc
  .record({ order: orderIndex, iccid: fc.nat(QUANTITY - 1) })
  .map(({ order, iccid: at }) => async (world) => {
    const { orderId, iccids } = world.orders[order]!;
    const iccid = iccids[at]!;
    await refusable(async () => {
      await services().orders.releaseProfile(OPERATOR, { orderId, iccid });
      expect(world.bound.has(iccid), 'I2: a bound ICCID was released').toBe(false);
      world.released.add(iccid);
    });
  });

/** Of any profile, or of one that was bound and that its eUICC has just deleted: of others few can be replaced. */
const replace: fc.Arbitrary<Step> = fc
  .record({
    order: orderIndex,
    iccid: fc.nat(QUANTITY - 1),
    of: fc.constantFrom('any', 'deleted', 'deleted'),
  })
  .map(({ order, iccid: at, of }) => async (world) => {
    const { orderId, iccids, extras } = world.orders[order]!;
    const bound = of === 'any' ? [] : iccids.filter((one) => world.bound.has(one));
    const iccid = bound.length === 0 ? iccids[at]! : bound[at % bound.length]!;
    if (bound.length > 0) await deleteProfile(world, world.bound.get(iccid)!);
    await refusable(async () => {
      const replacement = await services().orders.replaceProfile(OPERATOR, { orderId, iccid });
      expect(replacement.eid).toBe(world.bound.get(iccid)?.eid);
      const known = world.replacements.get(iccid);
      if (known !== undefined) return expect(replacement, 'I4').toEqual(known);
      expect(world.bound.has(replacement.iccid), 'I2: a replacement is a new profile').toBe(false);
      world.replacements.set(iccid, replacement);
      if (!iccids.includes(replacement.iccid)) extras.push(replacement.iccid);
    });
  });

const step = fc.oneof(
  { weight: 6, arbitrary: request },
  { weight: 2, arbitrary: race },
  { weight: 2, arbitrary: repeat },
  { weight: 2, arbitrary: cancel },
  { weight: 1, arbitrary: closeKeys },
  { weight: 3, arbitrary: report },
  { weight: 2, arbitrary: deletion },
  { weight: 1, arbitrary: release },
  { weight: 3, arbitrary: replace },
);

/** What the server holds agrees with what went out. */
async function expectConsistent(world: World): Promise<void> {
  for (const { orderId, iccids, extras } of world.orders) {
    const { bound, supply, returned } = await positionsOf(deployment.runtime, orderId);
    const iccidAt = (position: number) =>
      position < QUANTITY ? iccids[position] : extras[position / PACK - Math.ceil(QUANTITY / PACK)];
    expect(bound.map(iccidAt)).toEqual([...iccids, ...extras].filter((iccid) => world.bound.has(iccid)));
    expect(new Set([...bound, ...supply, ...returned]).size, 'a position in two places').toBe(
      bound.length + supply.length + returned.length,
    );
    const left = await ppksLeft(deployment.runtime, orderId);
    expect(
      left.filter((position) => bound.includes(position)),
      'I5: the PPK of a bound profile',
    ).toEqual([]);

    const { items, counts, state } = await services().orders.getOrderStatus(OPERATOR, { orderId });
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(QUANTITY + extras.length);
    expect(new Set(items.map(({ iccid }) => iccid)), 'each profile in one state').toEqual(
      new Set([...iccids, ...extras]),
    );
    expect(items).toHaveLength(QUANTITY + extras.length);
    for (const { iccid, eid, state: profile } of items) {
      expect(eid).toBe(world.bound.get(iccid)?.eid);
      if (world.deleted.has(iccid)) expect(profile, 'a deletion is final').toBe('Deleted');
      else if (world.installed.has(iccid)) expect(profile, 'a signed success wins').toBe('Installed');
      if (world.released.has(iccid)) expect(profile).toBe('Closed');
      if (!world.bound.has(iccid)) expect(['Available', 'Closed']).toContain(profile);
    }
    if (state === 'Cancelled') expect(left).toEqual([]);
  }
}

const SEQUENCES = effort({ short: 10, long: 30 });

it('whatever is asked in whatever order, keys and profiles are spent once and answers stay (I1–I5)', {
  tags: ['I1', 'I2', 'I3', 'I4', 'I5', 'GENS04', 'GENS08'],
  timeout: 180_000,
}, async () => {
  let spent = 0;
  let replaced = 0;
  const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 18 }), async (steps) => {
    const world = await World.create();
    for (const one of steps) await one(world);
    spent += world.bound.size;
    replaced += world.replacements.size;
    await expectConsistent(world);
    for (const { request: made, answer } of world.answered)
      expect(await made.fetch(deployment.runtime)).toEqual(answer);
  });
  let made = 0;
  // a few random sequences may bind little and replace nothing: then there are more of them, to a bound
  for (; made < 5 * SEQUENCES && (spent <= 2 * made || replaced === 0 || made === 0); made += SEQUENCES)
    await fc.assert(property, { numRuns: SEQUENCES, endOnFailure: true });
  count('sequences', made);
  expect(spent, 'the sequences did bind').toBeGreaterThan(2 * SEQUENCES);
  expect(replaced, 'and replaced').toBeGreaterThan(0);
});
