import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Vault } from '../../shared/vault/s3.ts';
import { awsClientConfig, awsSkipReason, type S3Property, s3Has } from '../support/aws.ts';

/**
 * What the vault leans on in S3 itself, held against implementations that have it. Each has some; `.ci` says which, so
 * that one that loses a property is seen.
 */
const itWhere = (property: S3Property, title: string, test: () => Promise<void>) =>
  it.skipIf(!s3Has(property))(
    s3Has(property) ? title : `${title} (skipped: SMDPF_TEST_S3_HAS does not list ${property})`,
    test,
  );
const sha256 = (body: Uint8Array, form: 'hex' | 'base64') => createHash('sha256').update(body).digest(form);

describe.skipIf(awsSkipReason !== '')(`S3 as the vault needs it${awsSkipReason}`, () => {
  const bucket = `locked-${randomUUID()}`;
  const client = new S3Client(awsClientConfig);
  const vault = S3Vault.open(bucket, { config: awsClientConfig, lockRetentionDays: 1 });
  beforeAll(() => client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true })));
  afterAll(async () => {
    await vault.close();
    client.destroy();
  });

  itWhere('lock', 'a locked version is removed by nobody, not even past governance', async () => {
    const { name, version, ...ref } = await vault.put('commits/1', Buffer.from('first'), { lock: true });
    const at = { Bucket: bucket, Key: name, VersionId: version };
    await expect(client.send(new DeleteObjectCommand(at))).rejects.toMatchObject({ name: 'AccessDenied' });
    const anyway = new DeleteObjectCommand({ ...at, BypassGovernanceRetention: true });
    await expect(client.send(anyway)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await vault.get({ name, version, ...ref })).toEqual(new Uint8Array(Buffer.from('first')));
  });

  itWhere('lock', 'a removal of the vault leaves a locked object where it is', async () => {
    const ref = await vault.put('commits/2', Buffer.from('first'), { lock: true });
    await vault.remove(ref.name);
    expect(await vault.head(ref.name)).toEqual(ref);
  });

  itWhere('lockLength', 'a retention is not made shorter', async () => {
    const { name, version } = await vault.put('commits/3', Buffer.from('first'), { lock: true });
    const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + 60_000) } as const;
    const shorter = new PutObjectRetentionCommand({
      Bucket: bucket,
      Key: name,
      VersionId: version,
      Retention,
    });
    await expect(client.send(shorter)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  itWhere('lockedPut', 'a second locked put learns the first, with retention asked for', async () => {
    const first = await vault.put('commits/4', Buffer.from('first'), { lock: true });
    expect(await vault.put('commits/4', Buffer.from('second'), { lock: true })).toEqual(first);
  });

  itWhere('putChecksum', 'a put whose octets are not those of its checksum is refused', async () => {
    const wrong = new PutObjectCommand({
      Bucket: bucket,
      Key: 'uploads/wrong',
      Body: Buffer.from('one'),
      ChecksumAlgorithm: 'SHA256',
      ChecksumSHA256: sha256(Buffer.from('two'), 'base64'),
    });
    await expect(client.send(wrong)).rejects.toMatchObject({
      name: expect.stringMatching(/BadDigest|Checksum|Invalid/),
    });
    expect(await vault.head('uploads/wrong')).toBeUndefined();
  });

  itWhere('uploadChecksum', 'an upload link takes no other content of the same length', async () => {
    const body = randomBytes(100);
    const { url, headers } = await vault.uploadLink(
      'uploads/1',
      { size: 100, sha256: sha256(body, 'hex') },
      60,
    );
    const { status } = await fetch(url, { method: 'PUT', headers, body: randomBytes(100) });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await vault.head('uploads/1')).toBeUndefined();
    expect((await fetch(url, { method: 'PUT', headers, body })).status).toBe(200);
    expect(await vault.head('uploads/1')).toMatchObject({ size: 100, sha256: sha256(body, 'hex') });
  });
});
