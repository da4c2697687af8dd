import { type Bytes, concat } from '../codec/bytes.ts';
import type { BspKeys } from './bsp.ts';
import type { Encapsulation, Suite } from './suite-type.ts';
import { x963Kdf } from './x963-kdf.ts';

/**
 * Session keys of ES8+ (SGP.22 section 2.6.4 and annex G): X9.63 KDF over SharedInfo = keyType ‖ keyLen ‖
 * LV(hostId) ‖ LV(EID) ‖ what the suite adds: initial MAC chaining value, S-ENC, S-MAC, of `keyLen` octets each.
 *
 * `hostId` has 1 to 16 octets; `eid` is 16 octets in binary, never its digits: an eUICC answers
 * scp03tSecurityError (8) to the first segment if that form is wrong.
 */
export function deriveSessionKeys(
  { channel, sharedSecretLength }: Suite,
  { sharedSecret, sharedInfo: added }: Pick<Encapsulation, 'sharedSecret' | 'sharedInfo'>,
  hostId: Bytes,
  eid: Bytes,
): BspKeys {
  const { keyType, keyLength } = channel;
  if (sharedSecret.length !== sharedSecretLength)
    throw new RangeError(`a shared secret has ${sharedSecretLength} octets`);
  if (hostId.length < 1 || hostId.length > 16) throw new RangeError('a hostId has 1 to 16 octets');
  if (eid.length !== 16) throw new RangeError('an EID has 16 octets');
  const sharedInfo = concat(
    Buffer.of(keyType, keyLength, hostId.length),
    hostId,
    Buffer.of(eid.length),
    eid,
    added,
  );
  const keyData = x963Kdf(sharedSecret, sharedInfo, 3 * keyLength);
  return {
    macChainingValue: keyData.subarray(0, keyLength),
    encKey: keyData.subarray(keyLength, 2 * keyLength),
    macKey: keyData.subarray(2 * keyLength),
  };
}
