import { createHash, randomBytes } from 'node:crypto';
import { type Bytes, concat, toHex } from '../../shared/codec/bytes.ts';
import { type EphemeralKey, P256, type PublicKey, xCoordinate } from '../../shared/crypto/curves.ts';
import type { Encapsulation, OneTimeKey, Suite } from '../../shared/crypto/suite-type.ts';
import { refuse } from '../../shared/errors.ts';

/**
 * A suite of no use, in the shape of a hybrid one: a one-time key is a point of P-256 and a seed, the server sends a
 * ciphertext beside smdpOtpk, the shared secret has two parts and SharedInfo a label and a hash. Its lengths, its key
 * type and its tag are those of no other suite.
 */
export const SEED_LENGTH = 200;
const CIPHERTEXT = { tag: 0x5f4a, length: 300 };
const LABEL = Buffer.from('p256+toy');

const sha256 = (...parts: readonly Bytes[]): Bytes =>
  createHash('sha256')
    .update(concat(...parts))
    .digest();

export const TOY: Suite = {
  name: 'p256+toy',
  oid: '2.999.77.1',
  curve: P256,
  draft: false,
  quantumSafe: false,
  oneTimeKeyLength: P256.pointLength + SEED_LENGTH,
  recordedLength: P256.pointLength + SEED_LENGTH,
  channel: {
    keyType: 0x99,
    keyTypeName: 'toy',
    keyLength: 16,
    smdpOtpkLength: P256.pointLength,
    ciphertext: CIPHERTEXT,
  },
  sharedSecretLength: 64,

  identityOf: (recorded) => TOY.oneTimeKey(recorded).identity(),

  oneTimeKey(octets): OneTimeKey {
    if (octets.length !== TOY.oneTimeKeyLength)
      refuse('oneTimeKeyInvalid', 'no one-time key of the toy suite');
    const point = P256.publicKey(octets.subarray(0, P256.pointLength));
    const seed = octets.subarray(P256.pointLength);
    return {
      suite: TOY,
      octets,
      identity: () => toHex(sha256(xCoordinate(point), seed)),
      isKeyOf: (key: PublicKey) => toHex(xCoordinate(key)) === toHex(xCoordinate(point)),
      encapsulate(randomness = randomBytes(CIPHERTEXT.length)): Encapsulation {
        const ephemeral = P256.generateEphemeral();
        return { smdpOtpk: ephemeral.point, ...secretOf(ephemeral, point, seed, randomness) };
      },
    };
  },
};

function secretOf(own: EphemeralKey, peer: PublicKey, seed: Bytes, ciphertext: Bytes) {
  return {
    ciphertext,
    sharedSecret: concat(own.agree(peer), sha256(seed, ciphertext)),
    sharedInfo: concat(LABEL, sha256(ciphertext)),
  };
}

/** The eUICC's side: a key pair, and what it makes of what the server sent. */
export function toyKeyPair() {
  const own = P256.generateEphemeral();
  const seed = randomBytes(SEED_LENGTH);
  return {
    octets: concat(own.point, seed),
    decapsulate: (smdpOtpk: Bytes, ciphertext: Bytes) =>
      secretOf(own, P256.publicKey(smdpOtpk), seed, ciphertext),
  };
}
