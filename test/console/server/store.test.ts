import { randomUUID } from 'node:crypto';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DynamoDbStore } from '../../../console/server/dynamodb-store.ts';
import { type ConsoleStore, MemoryStore } from '../../../console/server/store.ts';
import { awsClientConfig, awsSkipReason } from '../../support/aws.ts';
import { TableOfNames } from './table-of-names.ts';

let atMs = Date.parse('2026-06-01T08:00:00Z');
const now = () => atMs;
const MINUTE = 60_000;

function storeContract(open: () => ConsoleStore): void {
  let store: ConsoleStore;
  beforeEach(() => {
    store = open();
  });

  it('gives what it was given, until its time is over', async () => {
    const name = randomUUID();
    expect(await store.get(name)).toBeUndefined();
    expect(await store.put(name, 'a', atMs + MINUTE)).toBe(true);
    expect(await store.get(name)).toBe('a');
    atMs += MINUTE;
    expect(await store.get(name)).toBeUndefined();
    expect(await store.take(name)).toBeUndefined();
  });

  it('replaces what somebody has read, and nothing that came since', async () => {
    const name = randomUUID();
    await store.put(name, 'a', atMs + MINUTE);
    expect(await store.put(name, 'b', atMs + MINUTE)).toBe(false);
    expect(await store.put(name, 'b', atMs + MINUTE, 'a')).toBe(true);
    expect(await store.put(name, 'c', atMs + MINUTE, 'a')).toBe(false);
    expect(await store.get(name)).toBe('b');
    await store.take(name);
    // who replaces what was ended does not bring it back
    expect(await store.put(name, 'c', atMs + MINUTE, 'b')).toBe(false);
    expect(await store.get(name)).toBeUndefined();
  });

  it('takes the place of what is over', async () => {
    const name = randomUUID();
    await store.put(name, 'a', atMs + MINUTE);
    atMs += 2 * MINUTE;
    expect(await store.put(name, 'b', atMs + MINUTE)).toBe(true);
    expect(await store.get(name)).toBe('b');
  });

  it('gives what is taken to one alone', async () => {
    const name = randomUUID();
    await store.put(name, 'a', atMs + MINUTE);
    const taken = await Promise.all([store.take(name), store.take(name), store.take(name)]);
    expect(taken.filter((one) => one !== undefined)).toEqual(['a']);
  });
}

describe('a store in memory', () => {
  storeContract(() => new MemoryStore(now));

  it('keeps two thousand: what was used longest ago goes', async () => {
    const store = new MemoryStore(now);
    for (let i = 0; i < 2_001; i++) await store.put(`n${i}`, 'a', atMs + MINUTE);
    expect(await store.get('n0')).toBeUndefined();
    expect(await store.get('n1')).toBe('a');
  });
});

describe('a store in a table, by the conditions that it asks for', () => {
  storeContract(() => new DynamoDbStore('sessions', now, new TableOfNames()));
});

describe.skipIf(awsSkipReason !== '')(`a store in DynamoDB${awsSkipReason}`, () => {
  const table = `console-${randomUUID()}`;
  const client = new DynamoDBClient(awsClientConfig);
  beforeAll(() => TableOfNames.create(client, table));
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName: table }));
    client.destroy();
  });
  storeContract(() => new DynamoDbStore(table, now, client));
});
