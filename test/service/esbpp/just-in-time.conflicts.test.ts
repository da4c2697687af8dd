import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { present } from '../../../shared/present.ts';
import { type Environment, ModelFactory } from '../../support/aws-model/factory.ts';
import { VirtualTime } from '../../support/aws-model/virtual-time.ts';
import { count } from '../../support/counts.ts';
import { DEVICE_MAKER } from '../../support/deployment.ts';
import { effort, LONG } from '../../support/effort.ts';

const CALLERS = 50;
/** Calls of each. */
const CALLS = effort({ short: 1, long: 4 });
const PER_SECOND = 200;
/** Milliseconds of a call of DynamoDB, for which a transaction holds its items in addition, and of S3. */
const TABLE_MS = 5;
const TRANSACTION_MS = 10;
const OBJECT_MS = 25;
const SIGNATURES = 1.05;
/** Profiles of an order with whose end nobody meets. */
const PLENTY = 2 * CALLERS * CALLS + 400;

/**
 * Transactions that overlap at an item cancel each other on DynamoDB (TransactionConflict), also where both only check it;
 * no emulator does that. The model does. All environments are cold: they meet at the supply of the order, from which each
 * needs a lane, at the bucket of the party's calls, and at the copies of trust epoch and open order.
 */
const LINES = [
  { line: '4 environments, each with many calls at once', environments: 4, profiles: PLENTY, conflicts: 1 },
  {
    line: '50 environments, each with one call at a time',
    environments: CALLERS,
    profiles: PLENTY,
    conflicts: 1,
  },
  // lanes become short there, and who binds meets others at the supply again and again
  {
    line: '4 environments that bind the last profiles',
    environments: 4,
    profiles: CALLERS * CALLS,
    conflicts: 2,
  },
  // each lane is laid of the supply and of the share, in one transaction
  {
    line: '4 environments that bind out of a share',
    environments: 4,
    profiles: PLENTY,
    order: { shares: { [DEVICE_MAKER.identifier]: PLENTY } },
    conflicts: 1,
  },
];
describe.each(LONG ? LINES : LINES.slice(0, 1))('transactions that overlap: $line', (line) => {
  let factory: ModelFactory;
  let environments: readonly Environment[];
  let signatures = 0;
  let timed = false;
  const time = new VirtualTime();

  beforeAll(async () => {
    const pass = async (ms: number) => {
      if (timed) await time.pass(ms);
    };
    factory = await ModelFactory.open(
      {
        sent: (store) => pass(store === 'vault' ? OBJECT_MS : TABLE_MS),
        transacting: () => pass(TRANSACTION_MS),
      },
      CALLERS * CALLS,
      {
        rateLimit: { perSecond: 10_000, burst: 10_000 },
        profiles: line.profiles,
        ...present({ order: line.order }),
      },
    );
    const used = async (operation: string) => {
      if (operation === 'sign') signatures += 1;
    };
    environments = await Promise.all(
      Array.from({ length: line.environments }, () => factory.environment(used)),
    );
  });
  afterAll(() => factory?.close());

  it(`${CALLERS} callers at ${PER_SECOND} a second all succeed, with at most ${SIGNATURES} signatures a BPP`, async () => {
    timed = true;
    using _timers = time.withTimers();
    let next = 0;
    const answers: string[] = [];
    const took: number[] = [];
    const caller = async (_: unknown, i: number) => {
      for (let call = 0; call < CALLS; call++) {
        const due = (1000 * next++) / PER_SECOND;
        if (due > time.now) await time.pass(due - time.now);
        const from = time.now;
        answers.push(await environments[i % environments.length]!.call(randomBytes(8)));
        took.push(time.now - from);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    timed = false;
    const { conflicts } = factory.stores.dynamodb;
    const ms = took.toSorted((a, b) => a - b);
    const [half, most] = [ms[ms.length >> 1]!, ms.at(-1)!].map((one) => one.toFixed(0));
    console.log(
      `${answers.length} answers, ${signatures} signatures, ${conflicts} conflicts; ${half} ms, ${most} at most`,
    );
    count('items', answers.length);
    expect(answers.filter((answer) => answer !== 'Executed-Success Done []')).toEqual([]);
    expect(answers).toHaveLength(CALLERS * CALLS);
    expect(signatures / answers.length).toBeLessThanOrEqual(SIGNATURES);
    // the model bites, and what all lean on stands in enough copies
    expect(conflicts).toBeGreaterThan(0);
    expect(conflicts / answers.length).toBeLessThanOrEqual(line.conflicts);
  });
});
