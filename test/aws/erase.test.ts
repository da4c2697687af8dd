import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { destroyKey } from '../../cli/erasure/destroy-key.ts';
import { destroyPpks } from '../../cli/erasure/destroy-store.ts';
import { awsClientConfig, awsSkipReason } from '../support/aws.ts';

describe.skipIf(awsSkipReason !== '')(`erasing on AWS${awsSkipReason}`, () => {
  beforeAll(() => {
    vi.stubEnv('AWS_ENDPOINT_URL', String(process.env.SMDPF_TEST_AWS_ENDPOINT));
    vi.stubEnv('AWS_REGION', awsClientConfig.region);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterAll(() => vi.unstubAllEnvs());

  it('schedules a key for deletion, once, and looks that it is', async () => {
    const client = new KMSClient(awsClientConfig);
    const { KeyMetadata } = await client.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    );
    const uri = `awskms:key-id=${KeyMetadata!.Arn}`;
    for (let time = 0; time < 2; time++)
      expect(await destroyKey(uri)).toMatchObject({ what: `key ${uri}`, state: 'scheduled' });
    const { KeyMetadata: after } = await client.send(new DescribeKeyCommand({ KeyId: KeyMetadata!.KeyId! }));
    expect(after?.KeyState).toBe('PendingDeletion');
    client.destroy();
  });

  it('deletes a table that is protected from deletion, and finds it gone the next time', async () => {
    const client = new DynamoDBClient(awsClientConfig);
    const TableName = `ppks-${randomUUID()}`;
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        AttributeDefinitions: [{ AttributeName: 'pack', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pack', KeyType: 'HASH' }],
      }),
    );
    client.destroy();
    expect(await destroyPpks(`dynamodb:${TableName}`)).toMatchObject({ state: 'erased' });
    expect(await destroyPpks(`dynamodb:${TableName}`)).toMatchObject({ state: 'absent' });
  });
});
