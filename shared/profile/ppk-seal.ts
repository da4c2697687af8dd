import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { type Bytes, utf8, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { PPK_LENGTH, type Ppk, ppkFromOctets, ppkOctets } from './ppk.ts';

/**
 * A PPK at rest: AES-256-GCM under the data key of its pack, with order, position and ICCID as authenticated data,
 * so that an entry opens in its own place only. nonce(12) ‖ ciphertext(48) ‖ tag(16) = 76 octets.
 */
export interface PpkPlace {
  readonly orderId: string;
  readonly position: number;
  readonly iccid: string;
}

const NONCE = 12;
const TAG = 16;
export const SEALED_PPK_LENGTH = NONCE + PPK_LENGTH + TAG;

const authenticated = ({ orderId, position, iccid }: PpkPlace) =>
  utf8(JSON.stringify(['ppk', orderId, position, iccid]));

export function sealPpk(dataKey: KeyObject, ppk: Ppk, place: PpkPlace): Bytes {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce);
  cipher.setAAD(authenticated(place));
  const plain = ppkOctets(ppk);
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  wipe(plain);
  return sealed;
}

/** The caller wipes the PPK after use. */
export function openPpk(dataKey: KeyObject, sealed: Bytes, place: PpkPlace): Ppk {
  const cipher = createDecipheriv('aes-256-gcm', dataKey, sealed.subarray(0, NONCE));
  cipher.setAAD(authenticated(place));
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plain = Buffer.allocUnsafeSlow(PPK_LENGTH);
  plain.set(cipher.update(sealed.subarray(NONCE, sealed.length - TAG)));
  try {
    cipher.final();
  } catch {
    wipe(plain);
    throw new Fault('ledger', `the stored PPK of ${place.iccid} was altered or stands in a wrong place`);
  }
  return ppkFromOctets(plain);
}
