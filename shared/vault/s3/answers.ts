import { isNamed, toFault } from '../../aws/fault.ts';
import { Fault } from '../../errors.ts';
import { DamagedObject } from '../vault.ts';

/** Size and SHA-256 (hexadecimal) of the octets of an object. */
export interface Content {
  readonly size: number;
  readonly sha256: string;
}

export function toBase64(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
}

/** Undefined also for the checksum of a multipart object, which is one of its parts' checksums (`…=-3`). */
export function toHexDigest(checksum: string | undefined): string | undefined {
  const digest = Buffer.from(checksum ?? '', 'base64');
  return digest.length === 32 && digest.toString('base64') === checksum ? digest.toString('hex') : undefined;
}

export function versionOf(version: string | undefined): string {
  if (version === undefined || version === 'null') {
    throw new Fault('configuration', 'the bucket of the vault has no versioning');
  }
  return version;
}

export function gone({ name }: { readonly name: string }): Fault {
  return new Fault('vault', `this version of the object ${name} is not in the vault`);
}

export function damaged({ name }: { readonly name: string }): Fault {
  return new DamagedObject(name);
}

/** Errors of S3 become Faults, but for those named. */
export async function calling<Result>(
  work: () => Promise<Result>,
  ...expected: readonly string[]
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isNamed(error, ...expected)) throw error;
    throw toFault('vault', error);
  }
}
