import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDbLedger } from '../../shared/ledger/dynamodb.ts';
import { readItem, type Stored } from '../../shared/ledger/dynamodb-item.ts';
import { itemSize } from '../../shared/ledger/item.ts';
import { DynamoDbPpkVault } from '../../shared/vault/dynamodb-ppk.ts';
import { S3Vault } from '../../shared/vault/s3.ts';
import { awsClientConfig, createStores } from '../support/aws.ts';

export interface BillSnapshot {
  readonly calls: ReadonlyMap<string, number>;
  readonly ledgerWriteUnits: number;
  readonly ppkWriteUnits: number;
  /** Of ledger and PPK vault; strongly consistent. */
  readonly readUnits: number;
  /** Requests to S3, and those of them that write. */
  readonly vault: number;
  readonly vaultWrites: number;
}

/** What AWS would bill for, counted at the SDK: calls by their names, and units by the sizes of items. */
export class Bill {
  #calls = new Map<string, number>();
  ledgerWriteUnits = 0;
  ppkWriteUnits = 0;
  readUnits = 0;

  count(name: string): void {
    this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1);
  }

  /** A request on the wire; once more where it is sent again. */
  sent(store: 'ledger' | 'ppks' | 'vault', command: string, input: object): void {
    this.count(`${store} ${command}`);
    if (store === 'ledger') this.ledgerWriteUnits += ledgerUnits(command, input);
    if (store === 'ppks') this.ppkWriteUnits += ppkUnits(command, input);
  }

  answered(store: 'ledger' | 'ppks' | 'vault', command: string, output: object): void {
    if (store !== 'vault') this.readUnits += readUnits(command, output);
  }

  /** What was counted since the last time this was called. */
  take(): BillSnapshot {
    const calls = this.#calls;
    const sumOf = (pattern: RegExp) =>
      [...calls].reduce((sum, [name, count]) => sum + (pattern.test(name) ? count : 0), 0);
    const { ledgerWriteUnits, ppkWriteUnits, readUnits } = this;
    this.#calls = new Map();
    this.ledgerWriteUnits = 0;
    this.ppkWriteUnits = 0;
    this.readUnits = 0;
    return {
      calls,
      ledgerWriteUnits,
      ppkWriteUnits,
      readUnits,
      vault: sumOf(/^vault /),
      vaultWrites: sumOf(/^vault (Put|Copy|Create|Complete|UploadPart|List)/),
    };
  }
}

interface WriteInput {
  readonly Item?: Stored;
  readonly TransactItems?: readonly { readonly Put?: { readonly Item?: Stored } }[];
  readonly RequestItems?: Readonly<
    Record<string, readonly { readonly PutRequest?: { readonly Item?: Stored } }[]>
  >;
}

/**
 * Write units of a request to the ledger (DynamoDB Developer Guide, "Read and write capacity"): one per kilobyte
 * begun, twice that in a transaction, conditions and removals counted as one kilobyte.
 */
function ledgerUnits(command: string, input: WriteInput): number {
  const ofItem = (item: Stored | undefined) =>
    item === undefined ? 1 : Math.ceil(itemSize(readItem(item)) / 1024);
  if (command === 'PutItemCommand' || command === 'DeleteItemCommand') return ofItem(input.Item);
  if (command !== 'TransactWriteItemsCommand') return 0;
  return (input.TransactItems ?? []).reduce((sum, { Put }) => sum + 2 * ofItem(Put?.Item), 0);
}

/** The PPK vault holds its items under one kilobyte: a unit for each. */
function ppkUnits(command: string, input: WriteInput): number {
  if (command === 'BatchWriteItemCommand') {
    return Object.values(input.RequestItems ?? {}).reduce((sum, requests) => sum + requests.length, 0);
  }
  return command === 'PutItemCommand' || command === 'UpdateItemCommand' ? 1 : 0;
}

interface ReadOutput {
  readonly Item?: Stored;
  readonly Items?: readonly Stored[];
  readonly Responses?: Readonly<Record<string, readonly Stored[]>>;
}

/** Read units of a strongly consistent answer: one per four kilobytes begun, of a query all its items together. */
function readUnits(command: string, output: ReadOutput): number {
  const units = (octets: number) => Math.max(1, Math.ceil(octets / 4096));
  if (command === 'GetItemCommand') return units(sizeOf(output.Item));
  if (command === 'QueryCommand')
    return units((output.Items ?? []).reduce((sum, item) => sum + sizeOf(item), 0));
  if (command !== 'BatchGetItemCommand') return 0;
  return Object.values(output.Responses ?? {})
    .flat()
    .reduce((sum, item) => sum + units(sizeOf(item)), 0);
}

/** Near enough for reading: JSON is longer than what DynamoDB counts. */
const sizeOf = (item: Stored | undefined) =>
  item === undefined
    ? 0
    : JSON.stringify(item, (_, value: unknown) =>
        value instanceof Uint8Array ? 'x'.repeat(value.length) : value,
      ).length;

/** Ledger, vault and PPK vault on the emulator, each call of theirs on the bill. */
export async function countedStores(bill: Bill) {
  const names = await createStores();

  const ledgerClient = countingClient(bill, 'ledger');
  const ppkClient = countingClient(bill, 'ppks');
  const nothing = () => undefined;
  const logger = {
    debug: nothing,
    warn: nothing,
    error: nothing,
    info: (line: { commandName?: string }) => bill.count(`vault ${line.commandName}`),
  };
  return {
    ledger: DynamoDbLedger.open(names.ledger, { client: ledgerClient }),
    vault: S3Vault.open(names.bucket, { config: { ...awsClientConfig, logger } }),
    ppks: DynamoDbPpkVault.open(names.ppks, { client: ppkClient }),
    /** The same ledger, off the bill. */
    watch: DynamoDbLedger.open(names.ledger, { client: new DynamoDBClient(awsClientConfig) }),
  };
}

function countingClient(bill: Bill, store: 'ledger' | 'ppks'): DynamoDBClient {
  const client = new DynamoDBClient({ ...awsClientConfig, maxAttempts: 8 });
  // once for each request on the wire, retries too
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context.commandName);
      bill.sent(store, command, args.input);
      const result = await next(args);
      bill.answered(store, command, result.output);
      return result;
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return client;
}
