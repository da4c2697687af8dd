import {
  createPrivateKey,
  createPublicKey,
  createVerify,
  diffieHellman,
  ECDH,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from 'node:crypto';
import { type Bytes, wipe } from '../codec/bytes.ts';
import { encodeOid } from '../codec/oid.ts';
import { tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import {
  type Curve,
  type CurveFacts,
  curveForms,
  type EphemeralKey,
  isSecretScalar,
  isUncompressed,
  liesOn,
  type PublicKey,
} from './curve-type.ts';
import { encodeEcdsaSignature } from './ecdsa-signature.ts';
import { type GenerateOpenSslKey, type OpenSslKey, opensslKeysOf } from './openssl-functions.ts';

/**
 * A curve that OpenSSL knows; the hot path of binding and of ingest. Ephemeral keys are made by OpenSSL's own functions where
 * `keysOf` finds them, by node:crypto elsewhere.
 */
export function openSslCurve(
  facts: CurveFacts & { readonly openSslName: string },
  keysOf: typeof opensslKeysOf = opensslKeysOf,
): Curve {
  /** Looked for when a key is first made, since many processes make none. */
  let generateDirectly: GenerateOpenSslKey | null | undefined;
  const curve: Curve = {
    ...curveForms(facts),

    publicKey(point) {
      if (!isUncompressed(curve, point))
        refuse('oneTimeKeyInvalid', `a public key is an uncompressed point of ${curve.pointLength} octets`);
      if (!liesOn(curve, point)) refuse('oneTimeKeyInvalid', `the point is not on ${curve.name}`);
      return new OpenSslPublicKey(curve, point);
    },

    decompress(point) {
      try {
        return ECDH.convertKey(point, facts.openSslName, undefined, undefined, 'uncompressed') as Buffer;
      } catch {
        return undefined;
      }
    },

    generateEphemeral() {
      if (generateDirectly === undefined) generateDirectly = keysOf(facts) ?? null;
      if (generateDirectly !== null) return directEphemeral(curve, generateDirectly());
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: facts.openSslName });
      return ephemeral(privateKey, exportPoint(curve, publicKey));
    },

    ephemeralFrom(secret) {
      // OpenSSL takes any number
      if (!isSecretScalar(curve, secret))
        throw new RangeError('the ephemeral secret is not a valid scalar of the curve');
      const privateKey = opensslPrivateKey(curve, secret);
      return ephemeral(privateKey, exportPoint(curve, createPublicKey(privateKey)));
    },

    signatureHolds(key, message, signature, asked = 'again') {
      if (signature.length !== curve.signatureLength) return false;
      const by = asked === 'once' ? ofPoint(key).forOneCall : openSslKey(key);
      return verify('sha256', message, by, encodeEcdsaSignature(signature));
    },

    sigValueHolds: (key, message, sigValue) => verify('sha256', message, openSslKey(key), sigValue),

    verifier() {
      const pieces = createVerify('sha256');
      return {
        update: (piece) => void pieces.update(piece),
        signatureHolds: (key, signature) =>
          signature.length === curve.signatureLength &&
          pieces.verify(openSslKey(key), encodeEcdsaSignature(signature)),
      };
    },
  };
  return curve;
}

/** A point that was found to lie on its curve. OpenSSL, which checks it once more, is given it when it first has to do with it. */
class OpenSslPublicKey implements PublicKey {
  readonly curve: Curve;
  readonly point: Bytes;
  #key: KeyObject | undefined;

  constructor(curve: Curve, point: Bytes) {
    this.curve = curve;
    this.point = point;
  }

  get key(): KeyObject {
    this.#key ??= createPublicKey(this.#pem);
    return this.#key;
  }

  /** Of a text OpenSSL frees the key as it returns; an object is freed by the collector, which takes half as long as importing it. */
  get forOneCall(): KeyObject | string {
    return this.#key ?? this.#pem;
  }

  get #pem(): string {
    return spkiPem(Buffer.concat([this.curve.spkiPrefix, this.point]));
  }
}

const openSslKey = (key: PublicKey): KeyObject => ofPoint(key).key;

function ofPoint(key: PublicKey): OpenSslPublicKey {
  if (key instanceof OpenSslPublicKey) return key;
  throw new RangeError('the public key belongs to another suite');
}

function directEphemeral(curve: Curve, key: OpenSslKey): EphemeralKey {
  return {
    point: key.point,
    agree({ curve: { name }, point }) {
      if (name !== curve.name) throw new RangeError('the public key belongs to another suite');
      return key.agree(point);
    },
    wipe: () => key.free(),
  };
}

function ephemeral(secret: KeyObject, point: Bytes): EphemeralKey {
  let privateKey: KeyObject | undefined = secret;
  return {
    point,
    agree(peer) {
      if (privateKey === undefined) throw new RangeError('the ephemeral key was wiped');
      return diffieHellman({ privateKey, publicKey: openSslKey(peer) });
    },
    wipe() {
      // OpenSSL clears the scalar when the last reference to the key object goes
      privateKey = undefined;
    },
  };
}

/**
 * The private key of a scalar on a named curve that OpenSSL knows: RFC 5915 ECPrivateKey without its optional public
 * key, whose point OpenSSL computes. The scalar is not checked to be one of the curve.
 */
export function opensslPrivateKey(curve: Pick<Curve, 'oid'>, scalar: Bytes): KeyObject {
  const parameters = tlv(0xa0, tlv(0x06, encodeOid(curve.oid)));
  const secret = tlv(0x04, scalar);
  const sec1 = tlv(0x30, tlv(0x02, Buffer.of(1)), secret, parameters);
  try {
    return createPrivateKey({ key: view(sec1), format: 'der', type: 'sec1' });
  } finally {
    wipe(secret, sec1);
  }
}

/** Not a copy, which nobody would wipe. */
const view = (octets: Bytes) => Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);

/** The uncompressed point of an EC public key. 'raw-public' takes 17 µs where SPKI takes 42. */
const exportPoint: (curve: Curve, key: KeyObject) => Bytes = rawPublicIsKnown()
  ? (_, key) => key.export({ format: 'raw-public' })
  : (curve, key) => key.export({ format: 'der', type: 'spki' }).subarray(-curve.pointLength);

/** The format came with Node 24.15; a managed runtime may be older. */
function rawPublicIsKnown(): boolean {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  try {
    return publicKey.export({ format: 'raw-public' }).length > 0;
  } catch {
    return false;
  }
}

/** PEM on purpose: createPublicKey takes 14 µs for it and 37 for the same octets in an options object. */
export function spkiPem(spki: Buffer): string {
  return `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}
