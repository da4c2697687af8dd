import {
  createPrivateKey,
  createPublicKey,
  createVerify,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from 'node:crypto';
import { type Bytes, fromHex } from '../codec/bytes.ts';
import { encodeOid } from '../codec/oid.ts';
import { tlv } from '../codec/tlv.ts';
import { Refusal, refuse } from '../errors.ts';
import { encodeEcdsaSignature } from './ecdsa-signature.ts';
import { frp256v1 } from './frp256v1.ts';
import {
  type EphemeralKey,
  POINT_LENGTH,
  type PublicKey,
  SIGNATURE_LENGTH,
  type Suite,
  type SuiteName,
  type Verifier,
} from './suite-type.ts';

export type { EphemeralKey, PublicKey, Suite, SuiteName, Verifier } from './suite-type.ts';
export { POINT_LENGTH, SIGNATURE_LENGTH } from './suite-type.ts';

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

/** What precedes the point in a SubjectPublicKeyInfo with a named curve. */
function spkiPrefix(curveOid: string): Bytes {
  const algorithm = tlv(0x30, tlv(0x06, encodeOid(EC_PUBLIC_KEY)), tlv(0x06, encodeOid(curveOid)));
  const whole = tlv(0x30, algorithm, tlv(0x03, Buffer.alloc(1 + POINT_LENGTH)));
  return whole.subarray(0, whole.length - POINT_LENGTH);
}

/** SubjectPublicKeyInfo in DER of a point on the suite's curve. */
export function toSpki(key: PublicKey): Bytes {
  return Buffer.concat([spkiPrefix(key.suite.curveOid), key.point]);
}

/** The key of a SubjectPublicKeyInfo in DER; refuses curves that no suite has, and points off their curve. */
export function fromSpki(spki: Bytes): PublicKey {
  for (const suite of SUITES) {
    const prefix = spkiPrefix(suite.curveOid);
    if (
      spki.length === prefix.length + POINT_LENGTH &&
      Buffer.compare(spki.subarray(0, prefix.length), prefix) === 0
    ) {
      return suite.publicKey(spki.subarray(prefix.length));
    }
  }
  return refuse('securityConfiguration', 'the public key is not on a supported named curve');
}

class OpenSslPublicKey implements PublicKey {
  readonly suite: Suite;
  readonly point: Bytes;
  readonly key: KeyObject;

  constructor(suite: Suite, point: Bytes, key: KeyObject) {
    this.suite = suite;
    this.point = point;
    this.key = key;
  }
}

/** A curve that OpenSSL knows; the hot path of binding and of ingest. */
class OpenSslSuite implements Suite {
  readonly name: SuiteName;
  readonly curveOid: string;
  readonly keyAlgorithm: Suite['keyAlgorithm'];
  readonly #namedCurve: string;
  readonly #order: Bytes;
  readonly #prefix: Bytes;

  constructor(
    name: SuiteName,
    namedCurve: string,
    order: Bytes,
    curveOid: string,
    keyAlgorithm: Suite['keyAlgorithm'],
  ) {
    this.name = name;
    this.curveOid = curveOid;
    this.keyAlgorithm = keyAlgorithm;
    this.#namedCurve = namedCurve;
    this.#order = order;
    this.#prefix = spkiPrefix(curveOid);
  }

  publicKey(point: Bytes): PublicKey {
    if (point.length !== POINT_LENGTH || point[0] !== 0x04) {
      refuse('oneTimeKeyInvalid', `a public key is an uncompressed point of ${POINT_LENGTH} octets`);
    }
    try {
      return new OpenSslPublicKey(this, point, createPublicKey(pem(Buffer.concat([this.#prefix, point]))));
    } catch (cause) {
      return refuse('oneTimeKeyInvalid', `the point is not on ${this.name}`, { cause });
    }
  }

  generateEphemeral(): EphemeralKey {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: this.#namedCurve });
    return this.#ephemeral(privateKey, exportPoint(publicKey));
  }

  ephemeralFrom(secret: Bytes): EphemeralKey {
    // OpenSSL takes any number
    if (
      secret.length !== 32 ||
      Buffer.compare(secret, this.#order) >= 0 ||
      secret.every((octet) => octet === 0)
    )
      throw new RangeError('the ephemeral secret is not a valid scalar of the curve');
    // RFC 5915 ECPrivateKey without its optional public key: OpenSSL computes the point
    const sec1 = tlv(
      0x30,
      tlv(0x02, Buffer.of(1)),
      tlv(0x04, secret),
      tlv(0xa0, tlv(0x06, encodeOid(this.curveOid))),
    );
    const privateKey = createPrivateKey({ key: Buffer.from(sec1), format: 'der', type: 'sec1' });
    return this.#ephemeral(privateKey, exportPoint(createPublicKey(privateKey)));
  }

  #ephemeral(secret: KeyObject, point: Bytes): EphemeralKey {
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

  signatureHolds(key: PublicKey, message: Bytes, signature: Bytes): boolean {
    if (signature.length !== SIGNATURE_LENGTH) return false;
    return verify('sha256', message, openSslKey(key), encodeEcdsaSignature(signature));
  }

  verifier(): Verifier {
    const pieces = createVerify('sha256');
    return {
      update: (piece) => void pieces.update(piece),
      signatureHolds: (key, signature) =>
        signature.length === SIGNATURE_LENGTH &&
        pieces.verify(openSslKey(key), encodeEcdsaSignature(signature)),
    };
  }
}

/** The uncompressed point of an EC public key. 'raw-public' takes 17 µs where SPKI takes 42. */
const exportPoint: (key: KeyObject) => Bytes = rawPublicIsKnown()
  ? (key) => key.export({ format: 'raw-public' })
  : (key) => key.export({ format: 'der', type: 'spki' }).subarray(-POINT_LENGTH);

/** The format came with Node 24.15; a managed runtime may be older. */
function rawPublicIsKnown(): boolean {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  try {
    return publicKey.export({ format: 'raw-public' }).length === POINT_LENGTH;
  } catch {
    return false;
  }
}

/** PEM on purpose: createPublicKey takes 14 µs for it and 37 for the same octets in an options object. */
function pem(spki: Buffer): string {
  return `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

function openSslKey(key: PublicKey): KeyObject {
  if (key instanceof OpenSslPublicKey) return key.key;
  throw new RangeError('the public key belongs to another suite');
}

export const P256: Suite = new OpenSslSuite(
  'p256',
  'prime256v1',
  fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  '1.2.840.10045.3.1.7',
  'ecdsa-p256',
);
export const BRAINPOOL_P256R1: Suite = new OpenSslSuite(
  'brainpoolP256r1',
  'brainpoolP256r1',
  fromHex('a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7'),
  '1.3.36.3.3.2.8.1.1.7',
  'ecdsa-brainpoolP256r1',
);
export const FRP256V1: Suite = frp256v1;

export const SUITES: readonly Suite[] = [P256, BRAINPOOL_P256R1, FRP256V1];

export function suiteByName(name: string): Suite {
  return (
    SUITES.find((suite) => suite.name === name) ??
    refuse('securityConfiguration', `no crypto suite is called ${name}`)
  );
}

export function suiteByCurveOid(oid: string): Suite {
  return (
    SUITES.find((suite) => suite.curveOid === oid) ??
    refuse('securityConfiguration', `no crypto suite has curve ${oid}`)
  );
}

/** Is this an uncompressed point on the suite's curve, 65 octets, other than infinity? */
export function isPointOf(suite: Suite, point: Bytes): boolean {
  try {
    suite.publicKey(point);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
