import {
  createPrivateKey,
  createPublicKey,
  createVerify,
  diffieHellman,
  ECDH,
  generateKeyPairSync,
  hash,
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
import { DIGEST_LENGTH, directVerifierOf } from './direct-verification.ts';
import { encodeEcdsaSignature } from './ecdsa-signature.ts';
import { fixedBaseOf } from './fixed-base-verification.ts';
import { MuchAskedKeys } from './much-asked-keys.ts';
import { once } from './once.ts';
import { type OpenSslKey, opensslKeysOf } from './openssl-functions.ts';

type OpenSslFacts = CurveFacts & { readonly openSslName: string };

/** What OpenSSL's own functions do in place of node:crypto, each where it is found. */
export interface Ways {
  readonly keysOf: typeof opensslKeysOf;
  readonly verifierOf: typeof directVerifierOf;
  readonly muchAskedOf: (facts: Parameters<typeof fixedBaseOf>[0]) => MuchAskedKeys | undefined;
}

const FOUND: Ways = {
  keysOf: opensslKeysOf,
  verifierOf: directVerifierOf,
  muchAskedOf(facts) {
    const base = fixedBaseOf(facts);
    return base && new MuchAskedKeys(base);
  },
};

/** node:crypto alone. */
export const NODE_ALONE: Ways = {
  keysOf: () => undefined,
  verifierOf: () => undefined,
  muchAskedOf: () => undefined,
};

/**
 * A curve that OpenSSL knows; the hot path of binding and of ingest. Ephemeral keys are made, and signatures verified, by OpenSSL's own
 * functions where these are found, by node:crypto elsewhere.
 */
export function openSslCurve(facts: OpenSslFacts, ways: Ways = FOUND): Curve {
  // looked for when first asked, since many processes never do
  const generateDirectly = once(() => ways.keysOf(facts));
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
      const generate = generateDirectly();
      if (generate !== undefined) return directEphemeral(curve, generate());
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

    ...verificationOn(facts, ways),
  };
  return curve;
}

type Verification = Pick<Curve, 'signatureHolds' | 'sigValueHolds' | 'verifier'>;

/** The ways of OpenSSL's own functions only ever find a signature good: one that they do not is verified by node:crypto. */
function verificationOn(facts: OpenSslFacts, ways: Ways): Verification {
  const { signatureLength } = curveForms(facts);
  const direct = once(() => ways.verifierOf(facts));
  const muchAsked = once(() => ways.muchAskedOf(facts));
  return {
    signatureHolds(key, message, signature, asked = 'again') {
      if (signature.length !== signatureLength) return false;
      const given = ofPoint(key);
      const sigValue = encodeEcdsaSignature(signature);
      if (direct()?.holds(given.point, sha256(message), sigValue) === true) return true;
      return verify('sha256', message, asked === 'once' ? given.forOneCall : given.key, sigValue);
    },

    sigValueHolds(key, message, sigValue) {
      const keys = muchAsked();
      if (keys === undefined) return verify('sha256', message, openSslKey(key), sigValue);
      const hashed = sha256(message);
      if (keys.tableOf(key.point)?.holds(hashed, sigValue) === true) return true;
      const holds = verify('sha256', message, openSslKey(key), sigValue);
      if (holds) keys.held(key.point, hashed, sigValue);
      return holds;
    },

    verifier() {
      const pieces = createVerify('sha256');
      return {
        update: (piece) => void pieces.update(piece),
        signatureHolds: (key, signature) =>
          signature.length === signatureLength &&
          pieces.verify(openSslKey(key), encodeEcdsaSignature(signature)),
      };
    },
  };
}

const digest = Buffer.alloc(DIGEST_LENGTH);

/** In a room that the next one overwrites. By way of digits it takes half as long as in a buffer of its own, which has to be freed. */
function sha256(message: Bytes): Bytes {
  digest.write(hash('sha256', message, 'hex'), 'hex');
  return digest;
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
