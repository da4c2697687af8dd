import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Environment, ModelFactory } from '../../support/aws-model/factory.ts';
import { VirtualTime } from '../../support/aws-model/virtual-time.ts';
import { count } from '../../support/counts.ts';
import { effort, LONG } from '../../support/effort.ts';

const CALLERS = 50;
/** Calls of each. */
const CALLS = effort({ short: 1, long: 8 });
const PER_SECOND = 200;
/** Milliseconds for which a transaction holds its items. */
const TRANSACTION_MS = 10;
const SIGNATURES = 1.05;

/**
 * Transactions that overlap at an item cancel each other on DynamoDB (TransactionConflict), also where both only check it;
 * no emulator does that. The model does: fifty callers lean on the marks of one order and on the trust epoch.
 */
const skipReason = LONG ? '' : ' (skipped: many calls, in the long run only)';
describe.skipIf(!LONG)(`transactions of many callers at once seldom cancel each other${skipReason}`, () => {
  let factory: ModelFactory;
  let environment: Environment;
  let signatures = 0;
  const time = new VirtualTime();

  beforeAll(async () => {
    let timed = false;
    const pass = async (ms: number) => {
      if (timed) await time.pass(ms);
    };
    factory = await ModelFactory.open(
      {
        sent: (store) => pass(store === 'vault' ? 25 : 5),
        transacting: () => pass(TRANSACTION_MS),
      },
      CALLERS * (CALLS + 1),
      { rateLimit: { perSecond: 10_000, burst: 10_000 } },
    );
    timed = true;
    const used = async (operation: string) => {
      if (operation === 'sign') signatures += 1;
    };
    environment = await factory.environment(used);
  });
  afterAll(() => factory?.close());

  it(`${CALLERS} callers at ${PER_SECOND} a second all succeed, with at most ${SIGNATURES} signatures a BPP`, async () => {
    const began = time.now;
    let next = 0;
    const answers: string[] = [];
    const caller = async () => {
      for (let call = 0; call < CALLS; call++) {
        const due = began + (1000 * next++) / PER_SECOND;
        if (due > time.now) await time.pass(due - time.now);
        answers.push(await environment.call(randomBytes(8)));
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    count('items', answers.length);
    console.log(
      `${answers.length} answers, ${signatures} signatures, ${factory.stores.dynamodb.conflicts} conflicts`,
    );
    expect(answers.filter((answer) => answer !== 'Executed-Success Done []')).toEqual([]);
    expect(answers).toHaveLength(CALLERS * CALLS);
    expect(signatures / answers.length).toBeLessThanOrEqual(SIGNATURES);
  });
});
