import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';

/**
 * An AWS emulator (or an account set aside for tests) that the tests of the cloud adapters run against:
 * SMDPF_TEST_AWS_ENDPOINT=http://127.0.0.1:4566, for example MiniStack (`pip install ministack`; `ministack`).
 */
const endpoint = process.env.SMDPF_TEST_AWS_ENDPOINT;

export const awsSkipReason =
  endpoint === undefined ? ' (skipped: SMDPF_TEST_AWS_ENDPOINT names no AWS emulator)' : '';

/** Properties of S3 that not every emulator has; SMDPF_TEST_S3_HAS lists those of the one at the endpoint. */
export type S3Property = 'lock' | 'lockLength' | 'lockedPut' | 'putChecksum' | 'uploadChecksum';

export const s3Has = (property: S3Property): boolean =>
  (process.env.SMDPF_TEST_S3_HAS ?? '').split(',').includes(property);

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

/** Names of a fresh ledger table, PPK table and versioned bucket, which hold what a deployment on AWS has in its own. */
export async function createStores(): Promise<{ ledger: string; ppks: string; bucket: string }> {
  const id = randomUUID();
  const names = { ledger: `ledger-${id}`, ppks: `ppks-${id}`, bucket: `vault-${id}` };
  const dynamodb = new DynamoDBClient(awsClientConfig);
  await createTable(dynamodb, names.ledger);
  await createTable(dynamodb, names.ppks, 'pack', 'part');
  dynamodb.destroy();
  const s3 = new S3Client(awsClientConfig);
  await s3.send(new CreateBucketCommand({ Bucket: names.bucket }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: names.bucket, VersioningConfiguration }));
  s3.destroy();
  return names;
}
