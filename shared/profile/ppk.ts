import { type Bytes, concat, wipe } from '../codec/bytes.ts';
import type { BspKeys } from '../crypto/bsp.ts';

/**
 * Profile protection keys (SGP.22 section 2.5.3): random, one set per profile, never reused and destroyed once the
 * profile is bound. 16 octets each.
 */
export interface Ppk {
  readonly initialMacChainingValue: Bytes;
  readonly ppkEnc: Bytes;
  readonly ppkCmac: Bytes;
}

const KEY = 16;
export const PPK_LENGTH = 3 * KEY;

/** 48 fresh octets as a PPK. `random` is a CSPRNG, such as node:crypto's randomBytes. */
export function generatePpk(random: (octets: number) => Bytes): Ppk {
  return ppkFromOctets(random(PPK_LENGTH));
}

/** initialMacChainingValue ‖ ppkEnc ‖ ppkCmac: views of the octets given, not copies. */
export function ppkFromOctets(octets: Bytes): Ppk {
  if (octets.length !== PPK_LENGTH) throw new RangeError(`a PPK has ${PPK_LENGTH} octets`);
  return {
    initialMacChainingValue: octets.subarray(0, KEY),
    ppkEnc: octets.subarray(KEY, 2 * KEY),
    ppkCmac: octets.subarray(2 * KEY),
  };
}

/** The 48 octets to be wrapped for the PPK vault; secret, and a copy to be wiped. */
export function ppkOctets(ppk: Ppk): Bytes {
  return concat(ppk.initialMacChainingValue, ppk.ppkEnc, ppk.ppkCmac);
}

export function ppkBspKeys(ppk: Ppk): BspKeys {
  return { encKey: ppk.ppkEnc, macKey: ppk.ppkCmac, macChainingValue: ppk.initialMacChainingValue };
}

export function wipePpk(ppk: Ppk): void {
  wipe(ppk.initialMacChainingValue, ppk.ppkEnc, ppk.ppkCmac);
}
