import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { awsClient } from '../../../shared/aws/client-config.ts';
import { isNamed } from '../../../shared/aws/fault.ts';
import { COMMIT_RECORDS } from '../../../shared/service/records/object-names.ts';
import { STAGING } from '../../../shared/vault/s3/large.ts';
import { bad, type Check, good } from './check.ts';

/** A lock of the check's own ends so soon. */
const LOCK_MS = 60_000;
const REPAIR =
  'Deploy the stack again so that the policy of its bucket stands, and treat it as an incident (docs/runbook.md#guards).';

/** Where Object Lock does what it is for: a locked version that the same hands could otherwise remove stays. */
export const objectLock: Check = {
  name: 'Object Lock refuses',
  notOnEmulator: 'the stack has no Object Lock on an emulator',
  wayOut:
    'Call with credentials of administratorRoleArn, which may write to the vault and remove from its staging area.',
  look: ({ stack: { runtime, region } }) =>
    withBucket(runtime.vault, region, async (client, Bucket) => {
      const versioning = await client.send(new GetBucketVersioningCommand({ Bucket }));
      const { ObjectLockConfiguration } = await client.send(
        new GetObjectLockConfigurationCommand({ Bucket }),
      );
      if (versioning.Status !== 'Enabled' || ObjectLockConfiguration?.ObjectLockEnabled !== 'Enabled')
        return bad(
          'versioning or Object Lock is off',
          'Neither is switched on for what is stored already: deploy a new stack, and restore into it.',
        );
      const Key = `${STAGING}doctor-${randomUUID()}`;
      const put = (lock: object) =>
        client.send(
          new PutObjectCommand({ Bucket, Key, Body: 'doctor', ChecksumAlgorithm: 'SHA256', ...lock }),
        );
      const open = await put({});
      await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: open.VersionId }));
      const locked = await put({
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: new Date(Date.now() + LOCK_MS),
      });
      const removal = client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: locked.VersionId }));
      return (await refused(removal))
        ? good('a version that is locked for a minute was not removed; one without a lock was')
        : bad('a locked version was removed', REPAIR);
    }),
};

/** The bucket's policy: no second put under a name that is written once, and no delete marker that would hide the first. */
export const writtenOnce: Check = {
  name: 'records are written once',
  notOnEmulator: 'emulators do not weigh the policies of buckets',
  wayOut: objectLock.wayOut,
  look: ({ stack: { runtime, region } }) =>
    withBucket(runtime.vault, region, async (client, Bucket) => {
      // a name that no commit has; a put is denied before anything is stored
      const Key = `${COMMIT_RECORDS}doctor-${randomUUID()}`;
      const hidden = !(await refused(client.send(new DeleteObjectCommand({ Bucket, Key }))));
      const over = !(await refused(
        client.send(new PutObjectCommand({ Bucket, Key, Body: 'doctor', ChecksumAlgorithm: 'SHA256' })),
      ));
      if (hidden || over)
        return bad(
          `${over ? 'a put without If-None-Match' : 'a delete marker'} was let through to ${Key}`,
          REPAIR,
        );
      return good('neither a delete marker nor a put over what is there is let through');
    }),
};

async function refused(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (isNamed(error, 'AccessDenied')) return true;
    throw error;
  }
}

async function withBucket<T>(
  uri: string,
  region: string,
  work: (client: S3Client, bucket: string) => Promise<T>,
): Promise<T> {
  const client = new S3Client({ ...awsClient(), region });
  try {
    return await work(client, new URL(uri).hostname);
  } finally {
    client.destroy();
  }
}
