import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDbLedger } from '../../../shared/ledger/dynamodb.ts';
import { DynamoDbPpkVault } from '../../../shared/vault/dynamodb-ppk.ts';
import { S3Vault } from '../../../shared/vault/s3.ts';
import { DynamoDbModel } from './dynamodb.ts';
import { S3Model } from './s3.ts';

type Store = 'ledger' | 'ppks' | 'vault';

export interface Watched {
  /** A call on its way; the time that it takes has passed when this resolves. */
  sent(store: Store, command: string, input: object): Promise<void>;
  answered?(store: Store, command: string, output: object): void;
  /** How long a transaction holds its items. */
  transacting?(): Promise<void>;
}

const CONFIG = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  endpoint: 'http://127.0.0.1:9',
};

const PLACE = { step: 'finalizeRequest', priority: 'low' } as const;

/**
 * Ledger, vault and PPK vault by their adapters and the SDK, on models of DynamoDB and S3 in memory that stand in the
 * place of the network: below the SDK's retries, so that each call on the wire is one.
 */
export function modelStores(watched: Watched) {
  const dynamodb = new DynamoDbModel(watched.transacting);
  dynamodb.create('ledger', 'partition', 'sort');
  dynamodb.create('ppks', 'pack', 'part');
  const s3 = new S3Model();
  const table = (store: Store) => {
    const client = new DynamoDBClient(CONFIG);
    const answer = answering(store, (command, input) => dynamodb.answer(command, input));
    client.middlewareStack.add(
      (_, { commandName }) =>
        ({ input }) =>
          answer(commandName, input),
      PLACE,
    );
    return client;
  };
  const bucket = new S3Client({ ...CONFIG, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const answer = answering('vault', (command, input) => s3.answer(command, input));
  bucket.middlewareStack.add(
    (_, { commandName }) =>
      ({ input }) =>
        answer(commandName, input),
    PLACE,
  );
  return {
    dynamodb,
    ledger: DynamoDbLedger.open('ledger', { client: table('ledger') }),
    ppks: DynamoDbPpkVault.open('ppks', { client: table('ppks') }),
    vault: S3Vault.open('vault', { client: bucket }),
  };

  function answering(store: Store, model: (command: string, input: object) => Promise<object>) {
    return async (commandName: unknown, input: object): Promise<never> => {
      const command = String(commandName);
      await watched.sent(store, command, input);
      const output = await model(command, input);
      watched.answered?.(store, command, output);
      return { output: { $metadata: {}, ...output }, response: {} } as never;
    };
  }
}
