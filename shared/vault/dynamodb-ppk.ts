import { randomBytes } from 'node:crypto';
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { awsClient } from '../aws/client-config.ts';
import { isNamed, toFault } from '../aws/fault.ts';
import type { Bytes } from '../codec/bytes.ts';
import { backOff, mapConcurrently } from '../concurrency.ts';
import { Fault, invariant } from '../errors.ts';
import { present } from '../present.ts';
import { checkName } from './names.ts';
import type { PpkVault } from './vault.ts';

export interface DynamoDbPpkVaultOptions {
  /** A client of the caller's, closed by the caller. */
  readonly client?: DynamoDBClient;
}

/**
 * Entries of one item. With entries of 76 octets an item stays under 1 KB, so that destroying one entry is one
 * write unit, and storing or destroying a whole pack a twelfth of a unit for each.
 */
const GROUP_LENGTH = 12;
/** Octets; twelve of them fit an item of DynamoDB. */
const ENTRY_LIMIT = 32 * 1024;
const HEADER_LIMIT = 300 * 1024;
const PACK_LIMIT = 100_000;
const BATCH_WRITE_LIMIT = 25;
const BATCH_GET_LIMIT = 100;
const CONCURRENCY = 32;
const LOAD_ATTEMPTS = 12;
const HEADER = 'header';
/** Packs whose attempt and count are remembered. */
const KNOWN = 1_000;

type Stored = Record<string, AttributeValue>;

interface Pack {
  readonly attempt: string;
  readonly count: number;
  readonly header: Bytes;
}

/**
 * The PPK vault on a DynamoDB table of its own, with the string keys `pack` and `part` and with point-in-time
 * recovery, backups and streams off, so that what is deleted is nowhere (I5).
 *
 * Items: { pack, part "header", attempt, count, header } makes a pack exist; { pack, part "ATTEMPT#GROUP", "0" …
 * "11" } holds the entries GROUP · 12 to GROUP · 12 + 11, each an attribute of its own. Groups belong to the
 * attempt that wrote them, and the header, written last and once, says whose attempt it was.
 */
export class DynamoDbPpkVault implements PpkVault {
  readonly #table: string;
  readonly #client: DynamoDBClient;
  readonly #ownsClient: boolean;
  /** Packs that were looked up: what their headers say never changes, and a pack of this name that comes later shows. */
  readonly #known = new Map<string, Pick<Pack, 'attempt' | 'count'>>();

  private constructor(table: string, client: DynamoDBClient, ownsClient: boolean) {
    this.#table = table;
    this.#client = client;
    this.#ownsClient = ownsClient;
  }

  static open(table: string, { client }: DynamoDbPpkVaultOptions = {}): DynamoDbPpkVault {
    return new DynamoDbPpkVault(table, client ?? new DynamoDBClient(awsClient()), client === undefined);
  }

  async putPack(pack: string, header: Bytes, entries: readonly Bytes[]): Promise<void> {
    checkName(pack);
    const fits = (entry: Bytes) => entry.length > 0 && entry.length <= ENTRY_LIMIT;
    invariant(entries.length <= PACK_LIMIT, `a pack has at most ${PACK_LIMIT} entries`);
    invariant(entries.every(fits), `an entry of a pack has 1 to ${ENTRY_LIMIT} octets`);
    invariant(header.length <= HEADER_LIMIT, `the header of a pack has at most ${HEADER_LIMIT} octets`);
    await calling(async () => {
      if ((await this.#find(pack)) !== undefined) return;
      const attempt = randomBytes(6).toString('base64url');
      const groups = toGroups(entries).map((group, index) => ({
        ...keyOf(pack, groupPart(attempt, index)),
        ...group,
      }));
      await this.#writeBatches(groups.map((Item) => ({ PutRequest: { Item } })));
      if (await this.#putHeader(pack, { attempt, count: entries.length, header })) return;
      await this.#writeBatches(groups.map(({ pack, part }) => ({ DeleteRequest: { Key: { pack, part } } })));
    });
  }

  async header(pack: string): Promise<Bytes | undefined> {
    checkName(pack);
    return calling(async () => (await this.#find(pack))?.header);
  }

  async entries(pack: string, positions: readonly number[]): Promise<(Bytes | undefined)[]> {
    checkName(pack);
    return calling(async () => {
      const groups = [...new Set(positions.map((position) => Math.floor(position / GROUP_LENGTH)))];
      let found = this.#known.get(pack);
      let stored = found && (await this.#getGroups(pack, found.attempt, groups));
      if (found === undefined || stored === undefined || stored.size < groups.length) {
        // nothing is known of it, or it may be another by now
        found = await this.#find(pack);
        if (found === undefined) return positions.map(() => undefined);
        checkPositions(positions, found);
        stored = await this.#getGroups(pack, found.attempt, groups);
      }
      checkPositions(positions, found);
      const { attempt } = found;
      return positions.map((position) => {
        const group = stored.get(groupPart(attempt, Math.floor(position / GROUP_LENGTH)));
        return group?.[slotOf(position)]?.B;
      });
    });
  }

  async destroy(pack: string, positions: readonly number[]): Promise<void> {
    checkName(pack);
    await calling(async () => {
      const known = this.#known.get(pack);
      const [only, ...others] = positions;
      if (known !== undefined && only !== undefined && others.length === 0) {
        checkPositions(positions, known);
        const part = groupPart(known.attempt, Math.floor(only / GROUP_LENGTH));
        if (await this.#removeEntries(pack, part, [slotOf(only)])) return;
      }
      // the group is gone, or is that of another pack of this name
      const found = await this.#find(pack);
      if (found === undefined) return;
      checkPositions(positions, found);
      const byGroup = Map.groupBy(new Set(positions), (position) => Math.floor(position / GROUP_LENGTH));
      const isWhole = ([group, members]: [number, number[]]) =>
        members.length === Math.min(GROUP_LENGTH, found.count - group * GROUP_LENGTH);
      const whole = [...byGroup].filter(isWhole);
      const partial = [...byGroup].filter((entry) => !isWhole(entry));
      await this.#writeBatches(
        whole.map(([group]) => ({ DeleteRequest: { Key: keyOf(pack, groupPart(found.attempt, group)) } })),
      );
      await mapConcurrently(partial, CONCURRENCY, ([group, members]) =>
        this.#removeEntries(pack, groupPart(found.attempt, group), members.map(slotOf)),
      );
    });
  }

  async *names(): AsyncGenerator<string> {
    let start: Stored | undefined;
    do {
      const command = new ScanCommand({
        TableName: this.#table,
        ConsistentRead: true,
        FilterExpression: 'part = :header',
        ExpressionAttributeValues: { ':header': { S: HEADER } },
        ProjectionExpression: 'pack',
        ...present({ ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = await calling(() => this.#client.send(command));
      for (const { pack } of Items) if (pack?.S !== undefined) yield pack.S;
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }

  async destroyPack(pack: string): Promise<void> {
    checkName(pack);
    await calling(async () => {
      const parts: string[] = [];
      let start: Stored | undefined;
      do {
        const command: QueryCommand = new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: '#pack = :pack',
          ProjectionExpression: '#part',
          ExpressionAttributeNames: { '#pack': 'pack', '#part': 'part' },
          ExpressionAttributeValues: { ':pack': { S: pack } },
          ConsistentRead: true,
          ...present({ ExclusiveStartKey: start }),
        });
        const { Items = [], LastEvaluatedKey } = await this.#client.send(command);
        parts.push(...Items.map(({ part }) => part!.S!));
        start = LastEvaluatedKey;
      } while (start !== undefined);
      const remove = (part: string): WriteRequest => ({ DeleteRequest: { Key: keyOf(pack, part) } });
      // The header last: while it is there, an interrupted destruction can be seen and repeated.
      await this.#writeBatches(parts.filter((part) => part !== HEADER).map(remove));
      if (parts.includes(HEADER)) await this.#writeBatches([remove(HEADER)]);
    });
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#client.destroy();
  }

  async #find(pack: string): Promise<Pack | undefined> {
    const command = new GetItemCommand({
      TableName: this.#table,
      Key: keyOf(pack, HEADER),
      ConsistentRead: true,
    });
    const { Item } = await this.#client.send(command);
    this.#known.delete(pack);
    if (Item === undefined) return undefined;
    const attempt = Item.attempt!.S!;
    const count = Number(Item.count!.N);
    this.#known.set(pack, { attempt, count });
    if (this.#known.size > KNOWN) this.#known.delete(this.#known.keys().next().value!);
    return { attempt, count, header: Item.header!.B! };
  }

  /** False if the pack is there already. */
  async #putHeader(pack: string, { attempt, count, header }: Pack): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: this.#table,
      Item: {
        ...keyOf(pack, HEADER),
        attempt: { S: attempt },
        count: { N: String(count) },
        header: { B: header },
      },
      ConditionExpression: 'attribute_not_exists(#pack)',
      ExpressionAttributeNames: { '#pack': 'pack' },
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (!isNamed(error, 'ConditionalCheckFailedException')) throw error;
      // The SDK may have sent it twice, and the first time it was ours that came through.
      return (await this.#find(pack))?.attempt === attempt;
    }
  }

  /** False where there is no such group. */
  async #removeEntries(pack: string, part: string, slots: readonly string[]): Promise<boolean> {
    const names = Object.fromEntries(slots.map((slot) => [`#s${slot}`, slot]));
    const command = new UpdateItemCommand({
      TableName: this.#table,
      Key: keyOf(pack, part),
      UpdateExpression: `REMOVE ${Object.keys(names).join(', ')}`,
      // An update of what is gone would make an empty item.
      ConditionExpression: 'attribute_exists(#pack)',
      ExpressionAttributeNames: { ...names, '#pack': 'pack' },
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (!isNamed(error, 'ConditionalCheckFailedException')) throw error;
      return false;
    }
  }

  async #getGroups(pack: string, attempt: string, groups: readonly number[]): Promise<Map<string, Stored>> {
    const found = new Map<string, Stored>();
    for (let i = 0; i < groups.length; i += BATCH_GET_LIMIT) {
      let pending = groups
        .slice(i, i + BATCH_GET_LIMIT)
        .map((group) => keyOf(pack, groupPart(attempt, group)));
      for (let tries = 0; pending.length > 0; tries++) {
        await loadWait(tries);
        const RequestItems = { [this.#table]: { Keys: pending, ConsistentRead: true } };
        const { Responses, UnprocessedKeys } = await this.#client.send(
          new BatchGetItemCommand({ RequestItems }),
        );
        for (const item of Responses?.[this.#table] ?? []) found.set(item.part!.S!, item);
        pending = (UnprocessedKeys?.[this.#table]?.Keys ?? []) as typeof pending;
      }
    }
    return found;
  }

  async #writeBatches(requests: readonly WriteRequest[]): Promise<void> {
    const batches: WriteRequest[][] = [];
    for (let i = 0; i < requests.length; i += BATCH_WRITE_LIMIT)
      batches.push(requests.slice(i, i + BATCH_WRITE_LIMIT));
    await mapConcurrently(batches, CONCURRENCY, async (batch) => {
      let pending = batch;
      for (let tries = 0; pending.length > 0; tries++) {
        await loadWait(tries);
        const command = new BatchWriteItemCommand({ RequestItems: { [this.#table]: pending } });
        const { UnprocessedItems } = await this.#client.send(command);
        pending = UnprocessedItems?.[this.#table] ?? [];
      }
    });
  }
}

function keyOf(pack: string, part: string) {
  return { pack: { S: pack }, part: { S: part } };
}

function groupPart(attempt: string, group: number): string {
  return `${attempt}#${group}`;
}

function slotOf(position: number): string {
  return String(position % GROUP_LENGTH);
}

function toGroups(entries: readonly Bytes[]): Stored[] {
  const groups: Stored[] = [];
  entries.forEach((entry, position) => {
    const index = Math.floor(position / GROUP_LENGTH);
    groups[index] ??= {};
    groups[index][slotOf(position)] = { B: entry };
  });
  return groups;
}

function checkPositions(positions: readonly number[], { count }: Pick<Pack, 'count'>): void {
  const inside = (position: number) => Number.isInteger(position) && position >= 0 && position < count;
  invariant(positions.every(inside), `a position outside a pack of ${count} entries`);
}

async function loadWait(tries: number): Promise<void> {
  if (tries > LOAD_ATTEMPTS) throw new Fault('vault', 'the table is overloaded', { retryable: true });
  if (tries > 0) await backOff(tries);
}

async function calling<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toFault('vault', error);
  }
}
