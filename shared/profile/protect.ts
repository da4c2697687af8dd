import type { Bytes } from '../codec/bytes.ts';
import { OctetWriter } from '../codec/octet-writer.ts';
import { BspSealer, ENCRYPTED_DATA_LIMIT, encryptedElementLength, TAG_86 } from '../crypto/bsp.ts';
import { refuse } from '../errors.ts';
import { type Ppk, ppkBspKeys } from './ppk.ts';

/**
 * Protects an Unprotected Profile Package under its own keys (SGP.22 section 2.5.3): '86' elements, concatenated, each
 * with 1007 octets of the UPP but the last. The cut is blind; profile elements may straddle it.
 *
 * Wiping `upp` and `ppk` is left to the caller; what is made here in clear is wiped.
 */
export function protectProfile(upp: Bytes, ppk: Ppk): Bytes {
  const out = new OctetWriter(uppSegmentsLength(upp.length));
  writeProtected(upp, ppk, out);
  return out.finish();
}

/** The same into a buffer of the caller's, which has `uppSegmentsLength` octets left. */
export function writeProtected(upp: Bytes, ppk: Ppk, out: OctetWriter): void {
  const sealer = new BspSealer(ppkBspKeys(ppk), uppSegmentsLength(upp.length));
  try {
    writeUppSegments(sealer, upp, out);
    sealer.authenticate(out);
  } finally {
    sealer.wipe();
  }
}

/** Octets of the '86' elements of a UPP of `length` octets. */
export function uppSegmentsLength(length: number): number {
  const full = Math.floor(length / ENCRYPTED_DATA_LIMIT);
  const rest = length % ENCRYPTED_DATA_LIMIT;
  return full * encryptedElementLength(ENCRYPTED_DATA_LIMIT) + (rest > 0 ? encryptedElementLength(rest) : 0);
}

/** Writes the UPP as '86' elements, in whatever state the sealer is; they are to be authenticated. */
export function writeUppSegments(sealer: BspSealer, upp: Bytes, out: OctetWriter): void {
  if (upp.length === 0) refuse('profileInvalid', 'the profile package is empty');
  for (let at = 0; at < upp.length; at += ENCRYPTED_DATA_LIMIT)
    sealer.encrypt(TAG_86, upp.subarray(at, at + ENCRYPTED_DATA_LIMIT), out);
}
