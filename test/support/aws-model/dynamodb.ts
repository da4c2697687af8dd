import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';

/**
 * What the adapters use of DynamoDB, in memory, as the Amazon DynamoDB API Reference describes it: conditional writes,
 * batches, queries of one partition, and transactions that hold their items for as long as they take. An item that an
 * ongoing transaction holds, be it only to check it, refuses every other transaction (TransactionCanceledException with
 * the reason TransactionConflict) and every single write (TransactionConflictException). Reads pass.
 *
 * It has no throttling, no limits of size and no pages. What is asked in another form than that of the adapters fails.
 */
export type Stored = Record<string, AttributeValue>;

interface Condition {
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Stored | undefined;
}

interface Input extends Condition {
  readonly TableName: string;
  readonly Key?: Stored;
  readonly Item?: Stored;
  readonly UpdateExpression?: string;
  readonly KeyConditionExpression?: string;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Stored;
  readonly TransactItems?: readonly TransactWriteItem[];
  readonly RequestItems?: Readonly<Record<string, unknown>>;
}

export class AwsError extends Error {
  readonly $fault = 'client';
  readonly $metadata = { httpStatusCode: 400 };

  constructor(name: string, members: object = {}) {
    super(name);
    this.name = name;
    Object.assign(this, members);
  }
}

const textOf = (value: AttributeValue | undefined) => value?.S ?? '';

export class DynamoDbModel {
  /** Names of the two key attributes, by table. */
  readonly #tables = new Map<string, { keys: readonly [string, string]; items: Map<string, Stored> }>();
  /** What ongoing transactions hold. */
  readonly #held = new Set<string>();
  /** Resolves when a transaction that begins now has ended. */
  readonly #transactionTime: () => Promise<void>;
  conflicts = 0;

  constructor(transactionTime: () => Promise<void> = async () => undefined) {
    this.#transactionTime = transactionTime;
  }

  create(table: string, partition: string, sort: string): void {
    this.#tables.set(table, { keys: [partition, sort], items: new Map() });
  }

  async answer(command: string, asked: object): Promise<object> {
    const input = asked as Input;
    const { TableName: table } = input;
    switch (command) {
      case 'GetItemCommand':
        return { Item: this.#items(table).get(this.#name(table, input.Key)) };
      case 'BatchGetItemCommand':
        return { Responses: this.#batchGet(input.RequestItems ?? {}) };
      case 'QueryCommand':
        return this.#query(input);
      case 'PutItemCommand':
        return this.#single(table, input.Item, input, (items, name) => items.set(name, input.Item!));
      case 'DeleteItemCommand':
        return this.#single(table, input.Key, input, (items, name) => items.delete(name));
      case 'UpdateItemCommand':
        return this.#single(table, input.Key, input, (items, name) => {
          const item = { ...items.get(name) };
          for (const slot of input.UpdateExpression!.replace('REMOVE ', '').split(', '))
            delete item[input.ExpressionAttributeNames![slot]!];
          items.set(name, item);
        });
      case 'BatchWriteItemCommand':
        return this.#batchWrite(input.RequestItems ?? {});
      case 'TransactWriteItemsCommand':
        return await this.#transact(input.TransactItems ?? []);
      default:
        throw new Error(`the model of DynamoDB has no ${command}`);
    }
  }

  #items(table: string): Map<string, Stored> {
    const found = this.#tables.get(table);
    if (found === undefined) throw new AwsError('ResourceNotFoundException');
    return found.items;
  }

  #name(table: string, key: Stored | undefined): string {
    const [partition, sort] = this.#tables.get(table)!.keys;
    return `${textOf(key?.[partition])}\0${textOf(key?.[sort])}`;
  }

  #batchGet(requests: Readonly<Record<string, unknown>>) {
    return Object.fromEntries(
      Object.entries(requests as Record<string, { Keys: Stored[] }>).map(([table, { Keys }]) => [
        table,
        Keys.map((key) => this.#items(table).get(this.#name(table, key))).filter(
          (item) => item !== undefined,
        ),
      ]),
    );
  }

  #batchWrite(requests: Readonly<Record<string, unknown>>): object {
    type Request = { PutRequest?: { Item: Stored }; DeleteRequest?: { Key: Stored } };
    for (const [table, list] of Object.entries(requests as Record<string, Request[]>))
      for (const { PutRequest, DeleteRequest } of list) {
        if (PutRequest !== undefined)
          this.#items(table).set(this.#name(table, PutRequest.Item), PutRequest.Item);
        if (DeleteRequest !== undefined) this.#items(table).delete(this.#name(table, DeleteRequest.Key));
      }
    return {};
  }

  #query({ TableName: table, ...input }: Input): object {
    const [partition, sort] = this.#tables.get(table)!.keys;
    const {
      ExpressionAttributeValues: values = {},
      KeyConditionExpression: condition = '',
      Limit: limit,
    } = input;
    const { ':from': from, ':upper': upper } = values;
    const wanted = textOf(values[`:${partition}`]);
    const start = textOf(input.ExclusiveStartKey?.[sort]);
    const down = input.ScanIndexForward === false;
    const items = [...this.#items(table).values()]
      .filter((item) => textOf(item[partition]) === wanted)
      .filter((item) => from === undefined || compare(textOf(item[sort]), textOf(from)) >= 0)
      .filter((item) => upper === undefined || compare(textOf(item[sort]), textOf(upper)) <= 0)
      .filter((item) => start === '' || (down ? -1 : 1) * compare(textOf(item[sort]), start) > 0)
      .sort((a, b) => (down ? -1 : 1) * compare(textOf(a[sort]), textOf(b[sort])));
    if (!condition.startsWith(`#${partition} = :${partition}`)) throw new Error(`query by ${condition}`);
    const page = limit === undefined ? items : items.slice(0, limit);
    const last = page.length < items.length ? page.at(-1) : undefined;
    return {
      Items: page,
      ...(last && { LastEvaluatedKey: { [partition]: last[partition]!, [sort]: last[sort]! } }),
    };
  }

  #single(
    table: string,
    key: Stored | undefined,
    condition: Condition,
    change: (items: Map<string, Stored>, name: string) => unknown,
  ): object {
    const name = this.#name(table, key);
    const items = this.#items(table);
    if (this.#held.has(`${table}\0${name}`)) throw this.#conflict('TransactionConflictException');
    const found = items.get(name);
    if (!holds(condition, found))
      throw new AwsError('ConditionalCheckFailedException', { ...(found && { Item: found }) });
    change(items, name);
    return {};
  }

  #conflict(name: string, members?: object): AwsError {
    this.conflicts += 1;
    return new AwsError(name, members);
  }

  async #transact(writes: readonly TransactWriteItem[]): Promise<object> {
    const parts = writes.map(({ Put, Delete, ConditionCheck }) => {
      const part = Put ?? Delete ?? ConditionCheck;
      if (part === undefined) throw new Error('the model of DynamoDB has no such write in a transaction');
      const table = part.TableName!;
      const name = this.#name(table, 'Item' in part ? part.Item : (part as { Key: Stored }).Key);
      return { part, table, name, held: `${table}\0${name}`, put: Put?.Item, isDelete: Delete !== undefined };
    });
    const isHeld = parts.map(({ held }) => this.#held.has(held));
    if (isHeld.includes(true))
      throw this.#conflict('TransactionCanceledException', {
        CancellationReasons: isHeld.map((one) => ({ Code: one ? 'TransactionConflict' : 'None' })),
      });
    for (const { held } of parts) this.#held.add(held);
    try {
      await this.#transactionTime();
      const reasons = parts.map(({ part, table, name }) => {
        const found = this.#items(table).get(name);
        return holds(part, found)
          ? { Code: 'None' }
          : { Code: 'ConditionalCheckFailed', ...(found && { Item: found }) };
      });
      if (reasons.some(({ Code }) => Code !== 'None'))
        throw new AwsError('TransactionCanceledException', { CancellationReasons: reasons });
      for (const { table, name, put, isDelete } of parts) {
        if (put !== undefined) this.#items(table).set(name, put);
        if (isDelete) this.#items(table).delete(name);
      }
      return {};
    } finally {
      for (const { held } of parts) this.#held.delete(held);
    }
  }
}

/** By UTF-16 unit: as DynamoDB orders octets, where all is ASCII. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function holds(
  {
    ConditionExpression: text,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  }: Condition,
  found: Stored | undefined,
): boolean {
  if (text === undefined) return true;
  if (text.startsWith('attribute_not_exists(')) return found === undefined;
  if (text.startsWith('attribute_exists(')) return found !== undefined;
  const [, name, value] = /^(#\w+) = (:\w+)$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`a condition that the model of DynamoDB does not know: ${text}`);
  return found?.[names![name]!]?.N === values![value!]?.N;
}
