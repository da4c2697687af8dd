import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { completeIccid } from '../../../shared/codec/iccid.ts';
import { Refusal } from '../../../shared/errors.ts';
import { scanAllSpread } from '../../../shared/ledger/scan.ts';
import { stripesOf } from '../../../shared/ledger/stripes.ts';
import type { OrderInput } from '../../../shared/service/api/es2f.ts';
import { checkOrderInput } from '../../../shared/service/es2f/order-check.ts';
import { ledgerKeys, RECORD_STRIPES } from '../../../shared/service/records/keys.ts';
import { iccidOwner, rowSlice } from '../../../shared/service/records/order.ts';
import { openWorkOf } from '../../../shared/service/records/work.ts';
import { PREPARING } from '../../../shared/service/records/work-kinds.ts';
import { count } from '../../support/counts.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import {
  blocksOf,
  csvOf,
  intakeKeyOf,
  jsonLinesOf,
  secretRows,
  type TestRow,
  withIntakeKey,
} from '../../support/row-sources.ts';
import { MortalProcess } from '../mortal.ts';
import { TEMPLATE } from '../scenario.ts';

const PACK = 2;
/** Rows of a slice: two packs. */
const SLICE = 4;
/** Three slices, the last with one row in one pack. */
const ROWS = 9;
/** From one store call that a process dies at to the next; every other one is the next test's. */
const STRIDE = effort({ short: 46, long: 2 });

const NO_LANES = { lanes: 'none' } as const;
const CONFIG = { packSize: PACK, inlineOrder: 1, rowSlice: SLICE };

let deployment: Deployment;
let intakeKey: Readonly<Record<string, unknown>>;
let made = 0;
let orderId: string;
let rows: Record<string, string>[];

beforeAll(async () => {
  deployment = await Deployment.create({ ...NO_LANES, config: CONFIG });
  await withIntakeKey(deployment);
  await deployment.reopen(NO_LANES);
  intakeKey = await intakeKeyOf(deployment.runtime);
});

afterAll(() => deployment?.close());

beforeEach(() => {
  orderId = `SLICES-${made++}`;
  rows = secretRows(ROWS, made * 1000).map((row) => ({ ...row }));
});

const inClear = () => rows.map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));

function orderOf(file: Uint8Array, format: 'csv' | 'jsonl' | 'jwe', quantity: number): OrderInput {
  return deployment.order(orderId, quantity, TEMPLATE, {
    rows: file,
    personalisation: format === 'jwe' ? { format } : { format, keys: 'template' },
    metadata: {
      serviceProviderName: 'Operator',
      profileName: 'Profile',
      profileClass: format === 'jwe' ? 'operational' : 'test',
    },
  });
}

async function take(file: Uint8Array, format: 'csv' | 'jsonl' | 'jwe', quantity = ROWS): Promise<void> {
  await deployment.runtime.services.orders.prepareProfiles(OPERATOR, orderOf(file, format, quantity));
}

const blocks = async (all: readonly TestRow[] = rows) =>
  Buffer.from((await blocksOf(intakeKey, all, { orderId, rowsPerBlock: PACK })).join('\n'));

/** Works at an order until nothing of it is open, as a dispatcher does; slices in whatever order. */
async function work(order: (tasks: number[]) => number[] = (tasks) => tasks): Promise<void> {
  const { runtime } = deployment;
  for (const kind of [...PREPARING, 'closing'] as const) {
    const open = await runtime.context.ledger.get(ledgerKeys.openWork(kind, orderId));
    if (open === undefined) continue;
    const tasks = Array.from({ length: openWorkOf(open).tasks }, (_, task) => task);
    for (const task of order(tasks)) await runtime.work.runTask(kind, orderId, task);
    expect(await runtime.work.finish(kind, orderId)).toBe(true);
  }
}

const status = () => deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });

/** Names of what slices left in the ledger. */
async function slicesLeft(): Promise<string[]> {
  const stripes = stripesOf(`order-rows#${orderId}`, RECORD_STRIPES);
  return (await scanAllSpread(deployment.runtime.context.ledger, stripes)).map(({ sort }) => sort);
}

async function expectRejected(subject: string, why: RegExp): Promise<void> {
  await work((tasks) => tasks.reverse());
  const { state, reason, prepared } = await status();
  expect({ state, prepared }).toEqual({ state: 'Rejected', prepared: 0 });
  expect(reason?.message).toMatch(why);
  expect(reason?.message).toContain(subject);
  expect(await slicesLeft()).toEqual([]);
  const owner = await deployment.runtime.context.ledger.get(ledgerKeys.iccid(completeIccid(rows[0]!.iccid!)));
  expect(owner === undefined || iccidOwner.from(owner).orderId !== orderId).toBe(true);
}

describe('rows of a large order are checked in slices', () => {
  it.each([
    ['csv', async () => csvOf(inClear())],
    ['jsonl', async () => jsonLinesOf(inClear())],
    ['jwe', () => blocks()],
  ] as const)('and become profiles: %s', async (format, file) => {
    await take(await file(), format);
    const { context, work: tasks } = deployment.runtime;
    await tasks.runTask('rows', orderId, 0);
    expect(await tasks.finish('rows', orderId)).toBe(true);
    const open = await context.ledger.get(ledgerKeys.openWork('rowSlices', orderId));
    expect(openWorkOf(open!).tasks).toBe(3);
    // none is left out, in whatever order they come
    for (const slice of [2, 0]) {
      await tasks.runTask('rowSlices', orderId, slice);
      expect(await tasks.finish('rowSlices', orderId)).toBe(false);
    }
    await work();
    const { state, counts } = await status();
    expect({ state, counts }).toEqual({ state: 'Open', counts: { Available: ROWS } });
    expect(await slicesLeft()).toEqual([]);
  });

  it('no value of a row stands in what a slice leaves', async () => {
    await take(await blocks(), 'jwe');
    const { context, work: tasks } = deployment.runtime;
    await tasks.runTask('rows', orderId, 0);
    await tasks.finish('rows', orderId);
    await tasks.runTask('rowSlices', orderId, 0);
    const item = await context.ledger.get(ledgerKeys.rowSlice(orderId, 0));
    const { values } = rowSlice.from(item!);
    expect(Object.keys(values)).toEqual(['iccid', 'imsi', 'k']);
    for (const octets of Object.values(values)) {
      expect(octets).toHaveLength(10 * SLICE);
      for (const { iccid, imsi, k } of rows.slice(0, SLICE))
        for (const value of [completeIccid(iccid!), imsi!, k!])
          expect(toHex(octets).includes(value.slice(0, 12).toLowerCase())).toBe(false);
    }
    // neither would all IMSIs that there are give one away: another order has other octets for them
    const first = values;
    orderId = `SLICES-${made++}`;
    await take(await blocks(), 'jwe');
    await tasks.runTask('rows', orderId, 0);
    await tasks.finish('rows', orderId);
    await tasks.runTask('rowSlices', orderId, 0);
    const other = await context.ledger.get(ledgerKeys.rowSlice(orderId, 0));
    expect(rowSlice.from(other!).values.imsi).not.toEqual(first.imsi);
  });

  it('once a slice has a bad row, those behind it are not checked', async () => {
    rows[5]!.imsi = '12';
    await take(csvOf(inClear()), 'csv');
    const { context, work: tasks } = deployment.runtime;
    await tasks.runTask('rows', orderId, 0);
    await tasks.finish('rows', orderId);
    for (const slice of [1, 2]) await tasks.runTask('rowSlices', orderId, slice);
    expect(await context.ledger.get(ledgerKeys.rowSlice(orderId, 2))).toBeUndefined();
    expect(await tasks.finish('rowSlices', orderId)).toBe(false);
    await tasks.runTask('rowSlices', orderId, 0);
    expect(await tasks.finish('rowSlices', orderId)).toBe(true);
    expect((await status()).state).toBe('Rejected');
  });

  it('an order that is cancelled meanwhile leaves nothing of them', async () => {
    await take(csvOf(inClear()), 'csv');
    const { services, work: tasks } = deployment.runtime;
    await tasks.runTask('rows', orderId, 0);
    await tasks.finish('rows', orderId);
    await tasks.runTask('rowSlices', orderId, 1);
    await services.orders.cancelOrder(OPERATOR, { orderId });
    await tasks.runTask('rowSlices', orderId, 0);
    expect(await tasks.finish('rowSlices', orderId)).toBe(true);
    await work();
    expect(await slicesLeft()).toEqual([]);
    expect((await status()).state).toBe('Cancelled');
  });
});

describe('of a large order whose rows are bad, the first bad one of the file is named', () => {
  it.each([
    ['an ICCID of another slice', 'iccid', 'iccid'],
    ['an IMSI of another slice', 'imsi', 'imsi'],
  ])('%s', async (_, column) => {
    rows[8]![column] = rows[1]![column]!;
    await take(csvOf(inClear()), 'csv');
    await expectRejected(`row 9, column ${column}`, /is that of row 2$/);
  });

  it('a K of another slice, in blocks that are encrypted', async () => {
    rows[6]!.k = rows[1]!.k!.toUpperCase();
    await take(await blocks(), 'jwe');
    await expectRejected('row 7, column k', /is that of row 2$/);
  });

  it('one of an earlier slice, though a later one has one too, and was checked first', async () => {
    rows[8]!.imsi = 'x';
    rows[5]!.imsi = '12';
    rows[7]!.iccid = rows[0]!.iccid!;
    await take(csvOf(inClear()), 'csv');
    await expectRejected('row 6, column imsi', /6 to 15 decimal digits/);
  });

  it('a repeated value before a bad one of the same slice', async () => {
    rows[5]!.iccid = rows[0]!.iccid!;
    rows[6]!.imsi = '12';
    await take(csvOf(inClear()), 'csv');
    await expectRejected('row 6, column iccid', /is that of row 1$/);
  });

  it('an ICCID of another order', async () => {
    await deployment.runtime.context.ledger.write({
      put: ledgerKeys.iccid(completeIccid(rows[7]!.iccid!)),
      attributes: iccidOwner.to({ orderId: 'OTHER', position: 0 }),
      when: 'absent',
    });
    await take(csvOf(inClear()), 'csv');
    await expectRejected('row 8, column iccid', /another order/);
  });

  it('another algorithm than that of row 1, slices away from it', async () => {
    for (const row of rows) row.algorithm = 'milenage';
    Object.assign(rows[8]!, { algorithm: 'tuak', k: `${'ab'.repeat(31)}cd`, opc: 'ab'.repeat(32) });
    await take(await blocks(), 'jwe');
    await expectRejected('row 9, column algorithm', /another algorithm than row 1/);
  });

  it.each([
    [ROWS - 1, 'row 9: the order is for 8 profiles'],
    [ROWS + 1, 'there are 9 rows, the order is for 10 profiles'],
  ])('an order for %i profiles', async (quantity, why) => {
    await take(csvOf(inClear()), 'csv', quantity);
    await expectRejected(why, /the order is for/);
  });

  it.each([
    [ROWS - 2, 'row 8: the order is for 7 profiles'],
    [ROWS - 1, 'row 9: the order is for 8 profiles'],
    [ROWS + 1, 'there are 9 rows, the order is for 10 profiles'],
  ])('blocks for %i profiles', async (quantity, why) => {
    await take(await blocks(), 'jwe', quantity);
    await expectRejected(why, /./);
  });
});

/** Damages of a file of rows; what is drawn says which row or octet it is. */
const DAMAGES: readonly ((random: (below: number) => number) => void)[] = [
  (random) => {
    rows[random(ROWS)]!.imsi = 'x';
  },
  (random) => {
    rows[random(ROWS)]!.iccid = '12';
  },
  (random) => {
    const row = rows[random(ROWS)]!;
    row.iccid = `${row.iccid!.slice(0, -1)}${(Number(row.iccid!.at(-1)) + 1) % 10}`;
  },
  (random) => {
    rows[random(ROWS)]!.iccid = rows[random(ROWS)]!.iccid!;
  },
  (random) => {
    rows[random(ROWS)]!.imsi = rows[random(ROWS)]!.imsi!;
  },
  (random) => {
    delete rows[random(ROWS)]!.imsi;
  },
];

describe('of rows with several damages', () => {
  /** Of each seed: a test for each, so that none needs long on a machine that has much else to do. */
  const ORDERS = effort({ short: 3, long: 50 });
  const FOREIGN = 'ANOTHER-ORDER';
  const verdicts = new Set<string>();

  it.each([77, 78, 79, 80])(
    `the order is refused as one that is checked within the call: ${ORDERS} times, seed %i`,
    async (seed) => {
      const random = randomNumbers(seed);
      for (let n = 0; n < ORDERS; n++) {
        orderId = `SLICES-${made++}`;
        rows = secretRows(ROWS, made * 1000).map((row) => ({ ...row }));
        for (let damages = random(4); damages > 0; damages--) DAMAGES[random(DAMAGES.length)]!(random);
        const foreign = random(3) === 0 ? rows[random(ROWS)]!.iccid! : undefined;
        if (foreign !== undefined && /^\d{18,20}$/.test(foreign)) {
          const key = await ownIccid(foreign);
          if (key !== undefined)
            await deployment.runtime.context.ledger.write({
              put: key,
              attributes: iccidOwner.to({ orderId: FOREIGN, position: 0 }),
              when: 'absent',
            });
        }
        const [format, file] = await damagedFile(random);
        const quantity = ROWS + (random(6) === 0 ? random(5) - 2 : 0);
        const expected = await verdictWithin(file, format, quantity);
        const taken = await messageOf(() => take(file, format, quantity));
        if (taken === undefined) {
          await work((tasks) => (random(2) === 0 ? tasks : tasks.reverse()));
          expect(await slicesLeft()).toEqual([]);
        }
        const { state, reason } =
          taken === undefined ? await status() : { state: 'Refused', reason: undefined };
        const verdict = taken ?? (state === 'Open' ? undefined : reason?.message);
        expect(verdict, `${format} ${quantity} ${JSON.stringify(Buffer.from(file).toString('latin1'))}`).toBe(
          expected,
        );
        verdicts.add(String(verdict).replace(/\d+/g, 'n'));
        count('mutations', 1);
      }
    },
  );

  it('they are refused for many reasons', () => {
    expect(verdicts.size).toBeGreaterThan(effort({ short: 3, long: 10 }));
  });

  async function ownIccid(iccid: string) {
    try {
      return ledgerKeys.iccid(completeIccid(iccid));
    } catch {
      return undefined;
    }
  }

  async function damagedFile(
    random: (below: number) => number,
  ): Promise<readonly ['csv' | 'jsonl' | 'jwe', Uint8Array]> {
    const format = (['csv', 'jsonl', 'jwe'] as const)[random(3)]!;
    if (format !== 'jwe') {
      const file = format === 'csv' ? csvOf(inClear()) : jsonLinesOf(inClear());
      if (random(3) > 0) return [format, file];
      const at = file.indexOf(0x0a, Math.floor(file.length / 3)) + 1 + random(file.length / 2);
      // a line end of another kind would be read by packs as the check reads it, which is not as the whole file is read
      file[at] = (format === 'csv' ? [0x22, 0x2c] : [0x22, 0x0a])[random(2)]!;
      return [format, file];
    }
    const lines = await blocksOf(intakeKey, rows, { orderId, rowsPerBlock: PACK });
    const damage = random(6);
    const at = 1 + random(lines.length - 1);
    if (damage === 0) lines.splice(at, 1);
    if (damage === 1) lines.splice(at, 0, lines[at]!);
    if (damage === 2) lines[at] = `${lines[at]!.slice(0, -4)}AAAA`;
    if (damage === 3) lines.push(lines.at(-1)!);
    return [format, Buffer.from(lines.join('\n'))];
  }

  /** What the check of a small order says of the same file, which reads it once from its beginning. */
  function verdictWithin(file: Uint8Array, format: 'csv' | 'jsonl' | 'jwe', quantity: number) {
    const { context } = deployment.runtime;
    const inCall = { ...context, settings: { ...context.settings, inlineOrder: 1_000 } };
    return messageOf(() =>
      checkOrderInput(inCall, { ...orderOf(file, format, quantity), template: TEMPLATE }),
    );
  }

  async function messageOf(refused: () => Promise<unknown>): Promise<string | undefined> {
    try {
      await refused();
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  }
});

describe('the process that checks rows dies at each of its store calls', () => {
  beforeAll(async () => {
    await deployment.close();
    deployment = await Deployment.create({ ...NO_LANES, memory: true, config: CONFIG });
  });

  /** A test for each kind of work, dying before its store calls or after them: each call in turn, one of both. */
  const DEATHS = [false, true].flatMap((bad) =>
    (['rows', 'rowSlices'] as const).flatMap((kind) =>
      (['after', 'before'] as const).map((when) => ({
        ...{ bad, kind, when },
        what: bad ? 'bad rows reject the order' : 'good rows become profiles',
      })),
    ),
  );
  it.each(DEATHS)('$what: $kind, $when', async ({ bad, kind, when }) => {
    const died = async (call: number): Promise<boolean> => {
      orderId = `SLICES-${made++}`;
      rows = secretRows(ROWS, made * 1000).map((row) => ({ ...row }));
      if (bad) rows[8]!.iccid = rows[1]!.iccid!;
      await take(csvOf(inClear()), 'csv');
      const { runtime } = deployment;
      if (kind === 'rowSlices') {
        await runtime.work.runTask('rows', orderId, 0);
        await runtime.work.finish('rows', orderId);
      }
      const process = await MortalProcess.start(deployment, { call, when });
      await process.run(async (mortal) => {
        for (const task of kind === 'rows' ? [0] : [1, 2, 0]) await mortal.work.runTask(kind, orderId, task);
        await mortal.work.finish(kind, orderId);
      });
      count('crashes', 1);
      // as a restart does
      await work();
      expect((await status()).state).toBe(bad ? 'Rejected' : 'Open');
      expect(await slicesLeft()).toEqual([]);
      for (const open of [...PREPARING, 'closing'] as const)
        expect(await runtime.context.ledger.get(ledgerKeys.openWork(open, orderId))).toBeUndefined();
      return process.calls >= call;
    };
    for (let call = when === 'after' ? 1 : 2; await died(call); call += STRIDE);
  });
});
