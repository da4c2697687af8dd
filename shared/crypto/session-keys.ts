import { type Bytes, concat } from '../codec/bytes.ts';
import type { BspKeys } from './bsp.ts';
import { x963Kdf } from './x963-kdf.ts';

/** Key type and length of the control reference template: AES, 16 octets (SGP.22 section 5.5.1). */
export const KEY_TYPE_AES = 0x88;
export const KEY_LENGTH = 16;

/**
 * Session keys of ES8+ (SGP.22 section 2.6.4 and annex G): X9.63 KDF over SharedInfo = keyType ‖ keyLen ‖
 * LV(hostId) ‖ LV(EID), 48 octets: initial MAC chaining value, S-ENC, S-MAC.
 *
 * `sharedSecret` is the x coordinate, 32 octets; `hostId` has 1 to 16 octets; `eid` is 16 octets in binary, never its
 * digits: an eUICC answers scp03tSecurityError (8) to the first segment if that form is wrong.
 */
export function deriveSessionKeys(sharedSecret: Bytes, hostId: Bytes, eid: Bytes): BspKeys {
  if (sharedSecret.length !== 32) throw new RangeError('a shared secret has 32 octets');
  if (hostId.length < 1 || hostId.length > 16) throw new RangeError('a hostId has 1 to 16 octets');
  if (eid.length !== 16) throw new RangeError('an EID has 16 octets');
  const sharedInfo = concat(
    Buffer.of(KEY_TYPE_AES, KEY_LENGTH, hostId.length),
    hostId,
    Buffer.of(eid.length),
    eid,
  );
  const keyData = x963Kdf(sharedSecret, sharedInfo, 3 * KEY_LENGTH);
  return {
    macChainingValue: keyData.subarray(0, 16),
    encKey: keyData.subarray(16, 32),
    macKey: keyData.subarray(32, 48),
  };
}
