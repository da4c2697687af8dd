import { type FileHandle, open, unlink } from 'node:fs/promises';
import { awsClient } from '../../shared/aws/client-config.ts';
import { keyFile } from '../../shared/keys/local-key.ts';
import { parseKeyUri } from '../../shared/keys/uri.ts';
import { present } from '../../shared/present.ts';

/** What became of one thing that was to be erased. */
export interface Erased {
  readonly what: string;
  /** `erased`: it was there and is gone. `absent`: it was gone before. */
  readonly state: 'erased' | 'absent' | 'scheduled' | 'kept' | 'byHand';
  readonly count?: number;
  /** What was looked at afterwards, or why it is kept. */
  readonly checked: string;
}

/** Days until KMS destroys a key: the shortest that it allows. */
const KMS_DAYS = 7;

/**
 * Destroys the private part of a key where its backend lets us: a file at once, a KMS key after its waiting time.
 * Relative paths of URIs lead from `folder`.
 */
export async function destroyKey(uri: string, folder?: string): Promise<Erased> {
  const parsed = parseKeyUri(uri);
  const what = `key ${uri}`;
  if (parsed.scheme === 'softkey')
    return { ...(await destroyFile(keyFile(parsed.path, present({ folder })))), what };
  if (parsed.scheme !== 'awskms')
    return { what, state: 'byHand', checked: 'its token is to be cleared with the tools of its maker' };
  const { KMSClient, DescribeKeyCommand, ScheduleKeyDeletionCommand } = await import('@aws-sdk/client-kms');
  const client = new KMSClient(awsClient());
  try {
    const KeyId = parsed.keyId;
    const stateOf = async () => (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
    if ((await stateOf())?.KeyState !== 'PendingDeletion')
      await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: KMS_DAYS }));
    const after = await stateOf();
    if (after?.KeyState !== 'PendingDeletion') throw new Error(`${what} is ${after?.KeyState}`);
    const at = after.DeletionDate?.toISOString() ?? `in ${KMS_DAYS} days`;
    return { what, state: 'scheduled', checked: `unusable from now on; destroyed ${at}` };
  } finally {
    client.destroy();
  }
}

/** Overwrites a file where it lies, and removes it. */
export async function destroyFile(path: string): Promise<Erased> {
  const what = `file ${path}`;
  let file: FileHandle;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { what, state: 'absent', checked: 'no such file' };
  }
  try {
    const { size } = await file.stat();
    const zeros = Buffer.alloc(64 * 1024);
    for (let at = 0; at < size; at += zeros.length)
      await file.write(zeros, 0, Math.min(zeros.length, size - at), at);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
  return { what, state: 'erased', checked: 'overwritten, flushed and removed' };
}
