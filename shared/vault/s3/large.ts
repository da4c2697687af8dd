import { createHash, randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Bytes } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import type { ObjectRef } from '../vault.ts';
import { calling, damaged, toBase64, versionOf } from './answers.ts';

/** S3 copies at most 5 GiB in one request. */
const STREAM_LIMIT = 5 * 1024 ** 3;
/** Where streams longer than one part grow; no object name begins with a dot. */
export const STAGING = '.staging/';

/** Where an object of a bucket is. */
interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Puts a stream of more than one part. Parts go to a staging name; a copy, of which S3 tells the SHA-256, then makes
 * them the object in one step. A multipart object itself has no SHA-256 of the whole. `digest`, asked for after the
 * last part, is the SHA-256 of all of them.
 */
export async function putLarge(
  client: S3Client,
  bucket: string,
  name: string,
  parts: AsyncIterable<Bytes>,
  digest: () => string,
): Promise<ObjectRef> {
  const staging = { Bucket: bucket, Key: `${STAGING}${randomUUID()}` };
  const staged = await uploadParts(client, staging, parts);
  const content = { size: staged.size, sha256: digest() };
  const copy = new CopyObjectCommand({
    Bucket: bucket,
    Key: name,
    CopySource: `${bucket}/${staging.Key}?versionId=${staged.version}`,
    ChecksumAlgorithm: 'SHA256',
  });
  try {
    const { VersionId, CopyObjectResult } = await calling(() => client.send(copy));
    const version = versionOf(VersionId);
    const copied = CopyObjectResult?.ChecksumSHA256;
    if (copied !== undefined && copied !== toBase64(content.sha256)) throw damaged({ name });
    return { name, version, ...content };
  } finally {
    const remove = new DeleteObjectCommand({ ...staging, VersionId: staged.version });
    await calling(() => client.send(remove));
  }
}

/** Puts parts together under a staging name; an upload that fails is ended. */
async function uploadParts(
  client: S3Client,
  staging: Place,
  parts: AsyncIterable<Bytes>,
): Promise<{ readonly version: string | undefined; readonly size: number }> {
  const create = new CreateMultipartUploadCommand({ ...staging, ChecksumAlgorithm: 'SHA256' });
  const { UploadId } = await calling(() => client.send(create));
  const upload = { ...staging, UploadId };
  let size = 0;
  try {
    const Parts: CompletedPart[] = [];
    for await (const Body of parts) {
      size += Body.length;
      if (size > STREAM_LIMIT) throw new Fault('vault', `a stream exceeds ${STREAM_LIMIT} octets`);
      const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
      const part = {
        ...upload,
        PartNumber: Parts.length + 1,
        Body,
        ContentLength: Body.length,
        ChecksumAlgorithm: 'SHA256' as const,
        ChecksumSHA256,
      };
      const { ETag } = await calling(() => client.send(new UploadPartCommand(part)));
      Parts.push({ PartNumber: part.PartNumber, ETag, ChecksumSHA256 });
    }
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    const { VersionId } = await calling(() => client.send(complete));
    return { version: VersionId, size };
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {
      // The bucket's lifecycle rule ends uploads that could not be aborted; the first error is what matters.
    });
    throw error;
  }
}
