import { randomBytes, randomUUID } from 'node:crypto';
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  type TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { awsClient } from '../aws/client-config.ts';
import { isNamed, toFault } from '../aws/fault.ts';
import { countRead } from '../call-cost.ts';
import { backOff, mapConcurrently } from '../concurrency.ts';
import { Fault, invariant } from '../errors.ts';
import { ifPresent, present } from '../present.ts';
import { octetsIn, readItem, readKey, type Stored, storedItem, storedKey } from './dynamodb-item.ts';
import { checkItemSize, checkKey, checkWrites, keyOf } from './item.ts';
import {
  type Condition,
  type Item,
  type ItemKey,
  type Ledger,
  type Page,
  type Range,
  TRANSACTION_LIMIT,
  type TransactionOutcome,
  type TransactOptions,
  type Walk,
  type Write,
  type WriteOutcome,
} from './ledger.ts';
import { bounds, compareSort, makeCursor, PAGE_LIMIT } from './range.ts';
import { parseWalkCursor, walkCursor } from './walk-cursor.ts';

/** Keys of one BatchGetItem (DynamoDB's own limit). */
const BATCH_GET_LIMIT = 100;
/** Requests of one call under way at once; the SDK holds 50 connections. */
const CONCURRENCY = 48;
/** Attempts at what another transaction holds up, about 8 s in all; the SDK's own retries come on top. */
const CONFLICT_ATTEMPTS = 12;
const NONCE_LENGTH = 8;

export interface DynamoDbLedgerOptions {
  /** A client of the caller's, closed by the caller. */
  readonly client?: DynamoDBClient;
}

/**
 * The ledger on one DynamoDB table with the string keys `partition` and `sort` and no index. Reads are strongly
 * consistent. Each write of an item up to 1 KB is one write unit, in a transaction two.
 *
 * A conditional write whose answer was lost is sent again by the SDK and then finds its own work; the nonce stored
 * with the item tells that from the work of another.
 */
export class DynamoDbLedger implements Ledger {
  readonly spreads = true;
  readonly #table: string;
  readonly #client: DynamoDBClient;
  readonly #ownsClient: boolean;

  private constructor(table: string, client: DynamoDBClient, ownsClient: boolean) {
    this.#table = table;
    this.#client = client;
    this.#ownsClient = ownsClient;
  }

  /** Region, credentials and endpoint are those of the SDK's own configuration (AWS_REGION, AWS_ENDPOINT_URL). */
  static open(table: string, { client }: DynamoDbLedgerOptions = {}): DynamoDbLedger {
    return new DynamoDbLedger(table, client ?? new DynamoDBClient(awsClient()), client === undefined);
  }

  async get(key: ItemKey): Promise<Item | undefined> {
    checkKey(key);
    const command = new GetItemCommand({ TableName: this.#table, Key: storedKey(key), ConsistentRead: true });
    const { Item: stored } = await calling(() => this.#client.send(command));
    countRead(octetsIn(stored?.attributes));
    return stored === undefined ? undefined : readItem(stored);
  }

  async getMany(keys: readonly ItemKey[]): Promise<(Item | undefined)[]> {
    for (const key of keys) checkKey(key);
    const wanted = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const batches: ItemKey[][] = [];
    for (let i = 0; i < wanted.length; i += BATCH_GET_LIMIT)
      batches.push(wanted.slice(i, i + BATCH_GET_LIMIT));
    const found = new Map<string, Item>();
    await mapConcurrently(batches, CONCURRENCY, async (batch) => {
      const items = await this.#getBatch(batch);
      for (const item of items) found.set(nameOf(item), item);
      for (let missing = items.length; missing < batch.length; missing++) countRead(0);
    });
    return keys.map((key) => found.get(nameOf(key)));
  }

  async query(partition: string, range: Range = {}): Promise<Page> {
    checkKey({ partition, sort: '-' });
    const { limit = PAGE_LIMIT, descending = false } = range;
    const { from, to, before, after } = bounds(range);
    const upper = to === undefined || (before !== undefined && compareSort(before, to) < 0) ? before : to;
    const nothing: Page = { items: [], cursor: undefined };
    if (upper === '' || (upper !== undefined && compareSort(from, upper) > 0)) return nothing;

    const values: Stored = { ':partition': { S: partition } };
    if (from !== '') values[':from'] = { S: from };
    if (upper !== undefined) values[':upper'] = { S: upper };
    const items: Item[] = [];
    let start: string | undefined;
    if (after !== undefined) {
      const isBelow = compareSort(after, from) < 0;
      const isAbove = upper !== undefined && compareSort(after, upper) > 0;
      if (descending ? isBelow : isAbove) return nothing;
      // DynamoDB takes no start outside the bounds.
      if (!isBelow && !isAbove) start = after;
    }
    // A page may come back empty after the one item that only the inclusive upper bound let in.
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        ConsistentRead: true,
        ExpressionAttributeNames: {
          '#partition': 'partition',
          ...((from !== '' || upper !== undefined) && { '#sort': 'sort' }),
        },
        ExpressionAttributeValues: values,
        KeyConditionExpression: `#partition = :partition${sortCondition(from, upper)}`,
        ScanIndexForward: !descending,
        Limit: limit,
        ...present({ ExclusiveStartKey: ifPresent(start, (sort) => storedKey({ partition, sort })) }),
      });
      const { Items = [], LastEvaluatedKey } = await calling(() => this.#client.send(command));
      for (const stored of Items) {
        countRead(octetsIn(stored.attributes));
        if (stored.sort!.S !== before) items.push(readItem(stored));
      }
      start = LastEvaluatedKey?.sort?.S;
    } while (items.length === 0 && start !== undefined);
    return { items, cursor: start === undefined ? undefined : makeCursor(start) };
  }

  /** A Scan, in no order; the table keeps its items whole by itself. */
  async walk(limit: number, cursor?: string): Promise<Walk> {
    const start = cursor === undefined ? undefined : parseWalkCursor(cursor);
    const command = new ScanCommand({
      TableName: this.#table,
      ConsistentRead: true,
      Limit: limit,
      ...present({ ExclusiveStartKey: ifPresent(start, storedKey) }),
    });
    const { Items = [], LastEvaluatedKey } = await calling(() => this.#client.send(command));
    return {
      found: Items.map((stored) => {
        const item = readItem(stored);
        return { partition: item.partition, sort: item.sort, item };
      }),
      cursor: LastEvaluatedKey && walkCursor(readKey(LastEvaluatedKey)),
    };
  }

  async defects(): Promise<readonly string[]> {
    return [];
  }

  async write(write: Write): Promise<WriteOutcome> {
    checkKey(keyOf(write));
    return this.#write(write, this.#prepare(write));
  }

  async writeMany(writes: readonly Write[]): Promise<WriteOutcome[]> {
    checkWrites(writes);
    const prepared = writes.map((write) => this.#prepare(write));
    return mapConcurrently(writes, CONCURRENCY, (write, index) => this.#write(write, prepared[index]!));
  }

  async transact(
    writes: readonly Write[],
    { contended = false }: TransactOptions = {},
  ): Promise<TransactionOutcome> {
    invariant(writes.length <= TRANSACTION_LIMIT, `a transaction has at most ${TRANSACTION_LIMIT} writes`);
    checkWrites(writes);
    if (writes.length === 0) return { done: true };
    const command = new TransactWriteItemsCommand({
      TransactItems: writes.map((write) => this.#prepare(write).transactItem),
      // Makes an attempt that follows a lost answer a repetition, not a second transaction.
      ClientRequestToken: randomUUID(),
    });
    return throughConflicts(async () => {
      try {
        await this.#client.send(command);
        return { done: true };
      } catch (error) {
        if (!isNamed(error, 'TransactionCanceledException')) throw error;
        const { CancellationReasons: reasons = [] } = error as TransactionCanceledException;
        const failed = new Map<number, Item | undefined>();
        for (const [index, { Code, Item: found }] of reasons.entries()) {
          if (Code === 'ConditionalCheckFailed') failed.set(index, readFound(found));
          else if (contended && Code === CONFLICT) return { done: false, failed: new Map() };
          else if (Code !== undefined && Code !== 'None') throw cancelled(Code, error);
        }
        if (failed.size === 0) throw cancelled('unknown reason', error);
        return { done: false, failed };
      }
    });
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#client.destroy();
  }

  async #getBatch(keys: readonly ItemKey[]): Promise<Item[]> {
    const items: Item[] = [];
    let pending = keys.map(storedKey);
    for (let attempt = 0; pending.length > 0; attempt++) {
      if (attempt > 0) await backOff(attempt);
      if (attempt > CONFLICT_ATTEMPTS)
        throw new Fault('ledger', 'the table is overloaded', { retryable: true });
      const RequestItems = { [this.#table]: { Keys: pending, ConsistentRead: true } };
      const { Responses, UnprocessedKeys } = await calling(() =>
        this.#client.send(new BatchGetItemCommand({ RequestItems })),
      );
      const found = Responses?.[this.#table] ?? [];
      for (const { attributes } of found) countRead(octetsIn(attributes));
      items.push(...found.map(readItem));
      pending = UnprocessedKeys?.[this.#table]?.Keys ?? [];
      // What a full answer (16 MB) left over is no sign of load.
      if (found.length > 0) attempt = 0;
    }
    return items;
  }

  #prepare(write: Write): Prepared {
    const condition = conditionOf(this.#table, write.when);
    if ('check' in write) {
      return {
        nonce: undefined,
        transactItem: { ConditionCheck: { ...condition, Key: storedKey(write.check) } },
      };
    }
    if ('remove' in write) {
      return { nonce: undefined, transactItem: { Delete: { ...condition, Key: storedKey(write.remove) } } };
    }
    const nonce = randomBytes(NONCE_LENGTH);
    const revision = write.when === 'absent' ? 1 : write.when.revision + 1;
    const stored = storedItem({ ...write.put, revision, attributes: write.attributes }, nonce);
    checkItemSize(write.put, write.attributes);
    return { nonce, transactItem: { Put: { ...condition, Item: stored } } };
  }

  async #write(write: Write, { nonce, transactItem }: Prepared): Promise<WriteOutcome> {
    const { when } = write;
    if ('check' in write) {
      const found = await this.get(write.check);
      const holds = when === 'absent' ? found === undefined : found?.revision === when.revision;
      return holds ? { done: true, revision: found?.revision ?? 0 } : { done: false, found };
    }
    const { Put, Delete } = transactItem;
    return throughConflicts(async () => {
      try {
        if (Put !== undefined) await this.#client.send(new PutItemCommand(Put));
        if (Delete !== undefined) await this.#client.send(new DeleteItemCommand(Delete));
      } catch (error) {
        if (!isNamed(error, 'ConditionalCheckFailedException')) throw error;
        const { Item: stored } = error as { Item?: Stored };
        const foundNonce = stored?.nonce?.B;
        const isOwn = nonce !== undefined && foundNonce !== undefined && nonce.equals(foundNonce);
        if (!isOwn) return { done: false, found: readFound(stored) };
      }
      const revision = when === 'absent' ? 1 : when.revision;
      return { done: true, revision: 'put' in write && when !== 'absent' ? revision + 1 : revision };
    });
  }
}

interface Prepared {
  /** Of a put. */
  readonly nonce: Buffer | undefined;
  readonly transactItem: TransactWriteItem;
}

function nameOf({ partition, sort }: ItemKey): string {
  return `${partition}\0${sort}`;
}

function readFound(stored: Stored | undefined): Item | undefined {
  return stored === undefined || Object.keys(stored).length === 0 ? undefined : readItem(stored);
}

function conditionOf(table: string, when: Condition) {
  const common = { TableName: table, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  if (when === 'absent') {
    return {
      ...common,
      ConditionExpression: 'attribute_not_exists(#partition)',
      ExpressionAttributeNames: { '#partition': 'partition' },
    };
  }
  return {
    ...common,
    ConditionExpression: '#revision = :revision',
    ExpressionAttributeNames: { '#revision': 'revision' },
    ExpressionAttributeValues: { ':revision': { N: String(when.revision) } },
  };
}

/** Both bounds inclusive; DynamoDB takes one condition on the sort key. */
function sortCondition(from: string, upper: string | undefined): string {
  if (from !== '' && upper !== undefined) return ' AND #sort BETWEEN :from AND :upper';
  if (from !== '') return ' AND #sort >= :from';
  return upper === undefined ? '' : ' AND #sort <= :upper';
}

const CONFLICTS = ['TransactionConflictException', 'TransactionInProgressException'] as const;
/** Another transaction holds the item. */
const CONFLICT = 'TransactionConflict';
const TRANSIENT_REASONS = new Set([CONFLICT, 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** A cancellation that is not about conditions; its own name where the same call may succeed later. */
function cancelled(reason: string, cause: unknown): Fault {
  const retryable = TRANSIENT_REASONS.has(reason);
  return new Fault('ledger', `the transaction was cancelled: ${reason}`, { cause, retryable });
}

/** Repeats what another transaction on the same items holds up, then gives up with a retryable Fault. */
async function throughConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isConflict = isNamed(error, ...CONFLICTS) || (error instanceof Fault && error.retryable);
      if (!isConflict || attempt === CONFLICT_ATTEMPTS) throw toFault('ledger', error);
      await backOff(attempt);
    }
  }
}

async function calling<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toFault('ledger', error);
  }
}
