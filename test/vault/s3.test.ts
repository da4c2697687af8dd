import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Vault } from '../../shared/vault/s3.ts';
import { awsClientConfig, awsSkipReason, s3Has } from '../support/aws.ts';
import { vaultContract } from './contract.ts';

describe.skipIf(awsSkipReason !== '')(`S3 vault${awsSkipReason}`, () => {
  const bucket = `vault-${randomUUID()}`;
  const client = new S3Client(awsClientConfig);
  const open = () => S3Vault.open(bucket, { config: awsClientConfig });
  beforeAll(async () => {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  });
  afterAll(() => client.destroy());

  // Some emulators take any body for a presigned checksum; the URL is what s3-upload-link.test.ts looks at.
  const checksUploads = s3Has('uploadChecksum');
  vaultContract('S3', async () => open(), { largeSize: 20_000_000, checksUploads });

  it('large streams leave nothing in the staging area, whole or broken off', async () => {
    const vault = open();
    const body = async function* (end: () => void) {
      for (let i = 0; i < 3; i++) yield new Uint8Array(7_000_000).fill(i);
      end();
    };
    await vault.putStream(
      'large/whole',
      body(() => {}),
    );
    const broken = body(() => {
      throw new Error('the line went dead');
    });
    await expect(vault.putStream('large/broken', broken)).rejects.toThrow('the line went dead');
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(Uploads).toEqual([]);
    const staged = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: '.staging/' });
    const { Versions = [], DeleteMarkers = [] } = await client.send(staged);
    expect([...Versions, ...DeleteMarkers]).toEqual([]);
  });

  it('a bucket without versioning is a configuration Fault', async () => {
    const plain = `plain-${randomUUID()}`;
    await client.send(new CreateBucketCommand({ Bucket: plain }));
    const vault = S3Vault.open(plain, { config: awsClientConfig });
    await expect(vault.put('a', Buffer.from('a'))).rejects.toMatchObject({ code: 'configuration' });
  });

  it('a bucket that is missing is a Fault for good', async () => {
    const vault = S3Vault.open('no-such-bucket-at-all', { config: awsClientConfig });
    await expect(vault.put('a', Buffer.from('a'))).rejects.toMatchObject({ code: 'vault', retryable: false });
  });
});
