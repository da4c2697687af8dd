import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

/**
 * An AWS emulator (or an account set aside for tests) that the tests of the cloud adapters run against:
 * SMDPF_TEST_AWS_ENDPOINT=http://127.0.0.1:4566, for example MiniStack (`pip install ministack`; `ministack`).
 */
const endpoint = process.env.SMDPF_TEST_AWS_ENDPOINT;

export const awsSkipReason =
  endpoint === undefined ? ' (skipped: SMDPF_TEST_AWS_ENDPOINT names no AWS emulator)' : '';

export const awsClientConfig = {
  ...(endpoint === undefined ? {} : { endpoint }),
  region: process.env.AWS_REGION ?? 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};

/** A table with these two keys, which are text; the one of the ledger unless others are named. */
export async function createTable(
  client: DynamoDBClient,
  TableName: string,
  partition = 'partition',
  sort = 'sort',
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [partition, sort].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: partition, KeyType: 'HASH' },
        { AttributeName: sort, KeyType: 'RANGE' },
      ],
    }),
  );
}
