import { randomUUID } from 'node:crypto';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoDbLedger } from '../../shared/ledger/dynamodb.ts';
import type { Write } from '../../shared/ledger/ledger.ts';
import { awsClientConfig, awsSkipReason, createTable } from '../support/aws.ts';
import { freshKey, ledgerContract } from './contract.ts';

describe.skipIf(awsSkipReason !== '')(`DynamoDB ledger${awsSkipReason}`, () => {
  const table = `ledger-${randomUUID()}`;
  const client = new DynamoDBClient(awsClientConfig);
  beforeAll(() => createTable(client, table));
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName: table }));
    client.destroy();
  });

  ledgerContract('DynamoDB', async () => DynamoDbLedger.open(table, { client }), { propertyRuns: 15 });

  it('a write whose answer was lost, and that was sent again, knows its own work', async () => {
    const losing = new DynamoDBClient(awsClientConfig);
    let calls = 0;
    losing.middlewareStack.add(
      (next) => async (args) => {
        const isFirst = calls++ === 0;
        const result = await next(args);
        if (isFirst) throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
        return result;
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const ledger = DynamoDbLedger.open(table, { client: losing });
    const key = freshKey();
    expect(await ledger.write({ put: key, attributes: { a: 1 }, when: 'absent' })).toEqual({
      done: true,
      revision: 1,
    });
    calls = 0;
    const update: Write = { put: key, attributes: { a: 1 }, when: { revision: 1 } };
    expect(await ledger.write(update)).toEqual({ done: true, revision: 2 });
    expect(calls).toBeGreaterThan(1);
    // The same attributes by another write are another's work.
    expect(await ledger.write(update)).toMatchObject({ done: false, found: { revision: 2 } });
    losing.destroy();
  });

  it('a table that is missing is a Fault for good', async () => {
    const ledger = DynamoDbLedger.open('no-such-table', { client });
    await expect(ledger.get(freshKey())).rejects.toMatchObject({ code: 'ledger', retryable: false });
  });
});

/** No emulator gives these answers, so they are put in the place of the network's. */
describe('DynamoDB ledger, answers under load', () => {
  type Answer = (input: unknown) => unknown;
  const answering = (...answers: Answer[]) => {
    const client = new DynamoDBClient({ ...awsClientConfig, maxAttempts: 1 });
    const inputs: unknown[] = [];
    client.middlewareStack.add(
      () => async (args) => {
        const answer = answers[Math.min(inputs.length, answers.length - 1)]!;
        inputs.push(args.input);
        const output = answer(args.input);
        if (output instanceof Error) throw output;
        return { output, response: {} } as never;
      },
      { step: 'initialize', priority: 'high' },
    );
    return { ledger: DynamoDbLedger.open('ledger', { client }), inputs };
  };
  const cancelledBy = (...codes: string[]): Answer => {
    const CancellationReasons = codes.map((Code) => ({ Code }));
    return () =>
      Object.assign(new Error('cancelled'), { name: 'TransactionCanceledException', CancellationReasons });
  };
  const writes = (count: number): Write[] =>
    Array.from({ length: count }, () => ({ put: freshKey(), attributes: {}, when: 'absent' }));
  const ok: Answer = () => ({});

  it('a transaction in conflict with another is tried again under the same token', async () => {
    const { ledger, inputs } = answering(cancelledBy('None', 'TransactionConflict'), ok);
    expect(await ledger.transact(writes(2))).toEqual({ done: true });
    expect(inputs).toHaveLength(2);
    expect(inputs[1]).toEqual(inputs[0]);
  });

  it('a conflict at what others change all the time is a lost race at once', async () => {
    const { ledger, inputs } = answering(cancelledBy('None', 'TransactionConflict'), ok);
    const outcome = await ledger.transact(writes(2), { contended: true });
    expect(outcome).toEqual({ done: false, failed: new Map() });
    expect(inputs).toHaveLength(1);
  });

  it('a conflict beside a failed condition is tried again, until all that failed is known', async () => {
    const both = cancelledBy('ConditionalCheckFailed', 'ConditionalCheckFailed');
    const { ledger } = answering(cancelledBy('ConditionalCheckFailed', 'TransactionConflict'), both);
    const failed = new Map([
      [0, undefined],
      [1, undefined],
    ]);
    expect(await ledger.transact(writes(2))).toEqual({ done: false, failed });
  });

  it('a conflict that does not end is a Fault worth another try', async () => {
    const { ledger, inputs } = answering(cancelledBy('TransactionConflict'));
    await expect(ledger.transact(writes(1))).rejects.toMatchObject({ code: 'ledger', retryable: true });
    expect(inputs.length).toBeGreaterThan(5);
  });

  it('a cancellation for any other reason is a Fault, never an outcome', async () => {
    const { ledger, inputs } = answering(cancelledBy('ConditionalCheckFailed', 'ValidationError'));
    await expect(ledger.transact(writes(2))).rejects.toMatchObject({ code: 'ledger', retryable: false });
    expect(inputs).toHaveLength(1);
  });

  it('a single write held up by a transaction is tried again', async () => {
    const conflict = () => Object.assign(new Error('conflict'), { name: 'TransactionConflictException' });
    const { ledger, inputs } = answering(conflict, conflict, ok);
    expect(await ledger.write(writes(1)[0]!)).toEqual({ done: true, revision: 1 });
    expect(inputs).toHaveLength(3);
  });

  it('keys that a batch left unprocessed are asked for again', async () => {
    type Input = { RequestItems: { ledger: { Keys: Record<string, { S: string }>[] } } };
    const half: Answer = (input) => {
      const { Keys } = (input as Input).RequestItems.ledger;
      const found = Keys.slice(0, Math.ceil(Keys.length / 2));
      const stored = found.map((key) => ({ ...key, revision: { N: '1' }, attributes: { M: {} } }));
      const left = Keys.slice(found.length);
      return {
        Responses: { ledger: stored },
        UnprocessedKeys: left.length > 0 ? { ledger: { Keys: left } } : {},
      };
    };
    const { ledger, inputs } = answering(half);
    const keys = Array.from({ length: 100 }, freshKey);
    const found = await ledger.getMany(keys);
    expect(found.map((item) => item?.sort)).toEqual(keys.map(({ sort }) => sort));
    expect(inputs.length).toBeGreaterThan(5);
  });

  it('a throttled table is a Fault worth another try, and the rest of the batch is not begun', async () => {
    const throttled = () =>
      Object.assign(new Error('slow'), { name: 'ProvisionedThroughputExceededException' });
    const { ledger, inputs } = answering(throttled);
    await expect(ledger.writeMany(writes(500))).rejects.toMatchObject({ code: 'ledger', retryable: true });
    expect(inputs.length).toBeLessThan(100);
  });
});
