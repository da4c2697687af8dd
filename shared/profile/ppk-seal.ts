import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { type Bytes, toHex, utf8, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { PPK_LENGTH, type Ppk, ppkFromOctets, ppkOctets } from './ppk.ts';

/**
 * A PPK at rest: AES-256-GCM under the data key of its pack, with order, position, ICCID and the hash of the
 * protected profile as authenticated data, so that it opens in its own place and beside its own profile only. nonce(12) ‖ ciphertext(48) ‖ tag(16) = 76 octets.
 */
export interface PpkPlace {
  readonly orderId: string;
  readonly position: number;
  readonly iccid: string;
  /** SHA-256 of the profile's entry in its pack: what was altered there opens with no PPK (pack.ts). */
  readonly entry: Bytes;
}

/** A PPK that does not open: it was altered, stands in a wrong place, or the profile beside it was altered. */
export class DamagedProfile extends Fault {
  constructor(iccid: string) {
    super('vault', `the profile ${iccid} or its PPK was altered, or stands in a wrong place`);
  }
}

const NONCE = 12;
const TAG = 16;
export const SEALED_PPK_LENGTH = NONCE + PPK_LENGTH + TAG;

const authenticated = ({ orderId, position, iccid, entry }: PpkPlace) =>
  utf8(JSON.stringify(['ppk', orderId, position, iccid, toHex(entry)]));

export function sealPpk(
  dataKey: KeyObject,
  ppk: Ppk,
  place: PpkPlace,
  random: (octets: number) => Bytes = randomBytes,
): Bytes {
  const sealed = Buffer.allocUnsafe(SEALED_PPK_LENGTH);
  const nonce = random(NONCE);
  sealed.set(nonce);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce);
  cipher.setAAD(authenticated(place));
  const plain = ppkOctets(ppk);
  sealed.set(cipher.update(plain), NONCE);
  wipe(plain);
  cipher.final();
  sealed.set(cipher.getAuthTag(), NONCE + PPK_LENGTH);
  return sealed;
}

/** The caller wipes the PPK after use. */
export function openPpk(dataKey: KeyObject, sealed: Bytes, place: PpkPlace): Ppk {
  if (sealed.length !== SEALED_PPK_LENGTH) throw new DamagedProfile(place.iccid);
  const cipher = createDecipheriv('aes-256-gcm', dataKey, sealed.subarray(0, NONCE));
  cipher.setAAD(authenticated(place));
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plain = Buffer.allocUnsafeSlow(PPK_LENGTH);
  const opened = cipher.update(sealed.subarray(NONCE, sealed.length - TAG));
  plain.set(opened);
  wipe(opened);
  try {
    cipher.final();
  } catch {
    wipe(plain);
    throw new DamagedProfile(place.iccid);
  }
  return ppkFromOctets(plain);
}
