import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Bytes } from '../../codec/bytes.ts';
import { Fault, refuse } from '../../errors.ts';
import { DamagedObject, type ObjectRef } from '../vault.ts';
import type { WrittenFile } from './written-file.ts';

/** Octets of the line before the content: `smdpf-object-1 lock=0 size=… sha256=…`, padded with spaces. */
export const HEADER_LENGTH = 128;
const HEADER = /^smdpf-object-1 lock=([01]) size=(\d{1,15}) sha256=([0-9a-f]{64}) *\n$/;

export interface Stored {
  readonly ref: ObjectRef;
  readonly locked: boolean;
}

export async function* one(body: Bytes): AsyncGenerator<Bytes> {
  yield body;
}

export function sha256(content: Bytes): string {
  return createHash('sha256').update(content).digest('hex');
}

export function gone(name: string): never {
  throw new Fault('vault', `this version of the object ${name} is not in the vault`);
}

export function damaged(name: string): never {
  throw new DamagedObject(name);
}

export function makeHeader({ size, sha256 }: { size: number; sha256: string }, lock: boolean): Bytes {
  const line = `smdpf-object-1 lock=${lock ? 1 : 0} size=${size} sha256=${sha256}`;
  return Buffer.from(`${line.padEnd(HEADER_LENGTH - 1)}\n`);
}

export async function readHeader(file: FileHandle, name: string, version: string): Promise<Stored> {
  const header = Buffer.alloc(HEADER_LENGTH);
  await file.read(header, 0, HEADER_LENGTH, 0);
  return parseHeader(header, name, version);
}

export function parseHeader(header: Bytes, name: string, version: string): Stored {
  const [, lock, size, sha256] = HEADER.exec(Buffer.from(header).toString('latin1')) ?? [];
  if (sha256 === undefined) damaged(name);
  return { ref: { name, version, size: Number(size), sha256 }, locked: lock === '1' };
}

/** Writes the content after the place of the header; refuses as soon as it cannot be what is expected. */
export async function writeContent(
  file: WrittenFile,
  body: AsyncIterable<Bytes>,
  expected: { readonly size: number; readonly sha256: string } | undefined,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of body) {
    if (expected !== undefined && size + chunk.length > expected.size) {
      refuse('transferMismatch', `more than the ${expected.size} octets announced`);
    }
    hash.update(chunk);
    await file.write(HEADER_LENGTH + size, chunk);
    size += chunk.length;
  }
  const digest = hash.digest('hex');
  if (expected !== undefined && (size !== expected.size || digest !== expected.sha256)) {
    refuse('transferMismatch', 'the content has not the announced size and SHA-256');
  }
  return { size, sha256: digest };
}
