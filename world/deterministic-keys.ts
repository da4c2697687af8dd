import crypto, { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { tlv } from '../sim/tlv.ts';

/**
 * Keys and signatures that follow from the seed. OpenSSL draws both by itself, and the length of a signature in DER, the
 * order of names that are hashes of keys, and where a spoilt octet falls all follow from what it drew. Here a key pair is
 * made of a scalar that the seed gives, and the k of a signature is a hash of key and message, so that two runs of a seed
 * have the same octets everywhere. For a simulation alone: what the seed gives is no secret.
 */
interface Curve {
  /** Order of the group. */
  readonly n: bigint;
  /** DER of its OID. */
  readonly oid: string;
}

const CURVES: Readonly<Record<string, Curve>> = {
  prime256v1: {
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    oid: '06082a8648ce3d030107',
  },
  brainpoolP256r1: {
    n: 0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7n,
    oid: '06092b2403030208010107',
  },
};
const NAMES: Readonly<Record<string, string>> = { 'P-256': 'prime256v1' };
/** Octets of a scalar, and where it stands in the ECPrivateKey of RFC 5915: after 30 len 02 01 01 04 20. */
const SCALAR = 32;
const AT = 7;

const toBigInt = (octets: Uint8Array): bigint => BigInt(`0x${Buffer.from(octets).toString('hex')}`);
const toOctets = (number: bigint): Buffer =>
  Buffer.from(number.toString(16).padStart(2 * SCALAR, '0'), 'hex');

/** A number from 1 to n − 1 that follows from the octets. */
const scalarOf = (octets: Uint8Array, n: bigint): bigint => (toBigInt(octets) % (n - 1n)) + 1n;

function inverse(number: bigint, n: bigint): bigint {
  let [a, b, x, y] = [number % n, n, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a % b, y, x - quotient * y];
  }
  return ((x % n) + n) % n;
}

const integer = (number: bigint): Uint8Array => {
  const octets = Buffer.from(number.toString(16).replace(/^(?=(..)*.$)/, '0'), 'hex');
  return tlv(0x02, octets[0]! & 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets);
};

interface Secret {
  readonly scalar: Buffer;
  readonly curve: string;
}

const secrets = new WeakMap<KeyObject, Secret>();

/** Scalar and curve of a private key; undefined of one that is not on a curve of ours. */
function secretOf(key: KeyObject): Secret | undefined {
  const known = secrets.get(key);
  if (known !== undefined) return known;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== 'ec' || curve === undefined || CURVES[curve] === undefined) return undefined;
  const der = key.export({ format: 'der', type: 'sec1' });
  const secret = { scalar: Buffer.from(der.subarray(AT, AT + SCALAR)), curve };
  secrets.set(key, secret);
  return secret;
}

function makePair(name: string, octets: Uint8Array): { publicKey: KeyObject; privateKey: KeyObject } {
  const { n, oid } = CURVES[name]!;
  const scalar = toOctets(scalarOf(octets, n));
  const sec1 = tlv(0x30, Buffer.from('020101', 'hex'), tlv(0x04, scalar), tlv(0xa0, Buffer.from(oid, 'hex')));
  const privateKey = createPrivateKey({ key: Buffer.from(sec1), format: 'der', type: 'sec1' });
  return { publicKey: createPublicKey(privateKey), privateKey };
}

/** ECDSA over the SHA-256 of a message, r and s. */
function ecdsa({ scalar, curve }: Secret, message: Uint8Array): readonly [r: bigint, s: bigint] {
  const { n } = CURVES[curve]!;
  const digest = createHash('sha256').update(message).digest();
  const k = scalarOf(createHash('sha256').update(scalar).update(digest).digest(), n);
  const ecdh = crypto.createECDH(curve);
  ecdh.setPrivateKey(toOctets(k));
  const r = toBigInt(ecdh.getPublicKey().subarray(1, 1 + SCALAR)) % n;
  return [r, (inverse(k, n) * (toBigInt(digest) + r * toBigInt(scalar))) % n];
}

type SigningKey = KeyObject | { readonly key: KeyObject; readonly dsaEncoding?: 'der' | 'ieee-p1363' };

/** As they are called here: Node declares them for each kind of key. */
export interface OwnKeys {
  generateKeyPairSync(type: string, options: unknown): unknown;
  sign(algorithm: string | null, message: Uint8Array, key: SigningKey): Buffer;
}

/** What takes the place of Node's functions; `drawn` gives random octets, `own` are Node's functions themselves. */
export function deterministicKeys(own: OwnKeys, drawn: (length: number) => Uint8Array) {
  return {
    generateKeyPairSync(type: string, options: { readonly namedCurve?: string }): unknown {
      const { namedCurve = '', ...encodings } = options;
      const name = NAMES[namedCurve] ?? namedCurve;
      if (type !== 'ec' || CURVES[name] === undefined || Object.keys(encodings).length > 0)
        return own.generateKeyPairSync(type, options);
      return makePair(name, drawn(SCALAR));
    },
    sign(algorithm: string | null, message: Uint8Array, given: SigningKey): Buffer {
      const { key, dsaEncoding = 'der' } = 'key' in given ? given : { key: given };
      const secret = algorithm === 'sha256' ? secretOf(key) : undefined;
      if (secret === undefined) return own.sign(algorithm, message, given);
      const [r, s] = ecdsa(secret, message);
      return dsaEncoding === 'der'
        ? Buffer.from(tlv(0x30, integer(r), integer(s)))
        : Buffer.concat([toOctets(r), toOctets(s)]);
    },
  };
}
