import { type Bytes, equal, wipe } from '../codec/bytes.ts';
import { encodeOid } from '../codec/oid.ts';
import { TlvReader } from '../codec/tlv.ts';
import { FRP256V1 } from '../crypto/curves.ts';
import { Fault, Refusal } from '../errors.ts';

const CURVE = encodeOid(FRP256V1.oid);
const EC_PUBLIC_KEY = encodeOid('1.2.840.10045.2.1');

/**
 * The scalar of an FRP256V1 private key in PEM, 32 octets which the caller wipes: PKCS#8 (RFC 5958) or SEC1
 * (RFC 5915), unencrypted, the curve named by its OID. OpenSSL knows no such curve and can read neither. Undefined for
 * a PEM of anything else; a key of this curve that does not hold together is a Fault.
 */
export function frp256v1FromPem(pem: string): Bytes | undefined {
  const [, , base64] =
    /-----BEGIN ((?:EC )?PRIVATE KEY)-----\s([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(pem) ?? [];
  if (base64 === undefined) return undefined;
  const der = Buffer.from(base64, 'base64');
  try {
    return frp256v1FromDer(der);
  } finally {
    wipe(der);
  }
}

/** The same from the DER of either form. */
export function frp256v1FromDer(der: Bytes): Bytes | undefined {
  for (const read of [fromPkcs8, fromSec1]) {
    try {
      const scalar = read(new TlvReader(der).enter(0x30, 'private key'));
      if (scalar !== undefined) return scalar;
    } catch (error) {
      // the other form, or none; neither message nor cause, which could show where in a secret something stands
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return undefined;
}

function fromPkcs8(reader: TlvReader): Bytes | undefined {
  reader.integer(0x02, 'version');
  const algorithm = reader.enter(0x30, 'privateKeyAlgorithm');
  if (!equal(algorithm.expect(0x06, 'algorithm').value, EC_PUBLIC_KEY)) return undefined;
  const curve = algorithm.expect(0x06, 'parameters').value;
  if (!equal(curve, CURVE)) return undefined;
  const key = reader.expect(0x04, 'privateKey').value;
  return fromSec1(new TlvReader(key).enter(0x30, 'ECPrivateKey'), curve);
}

function fromSec1(reader: TlvReader, curveAbove?: Bytes): Bytes | undefined {
  reader.integer(0x02, 'version');
  const scalar = reader.expect(0x04, 'privateKey').value;
  const parameters = reader.optional(0xa0);
  const curve = parameters === undefined ? curveAbove : TlvReader.of(parameters).expect(0x06, 'curve').value;
  if (curve === undefined || !equal(curve, CURVE)) return undefined;
  const publicKey = reader.optional(0xa1);
  reader.end();
  const point = publicKey && TlvReader.of(publicKey).expect(0x03, 'publicKey').value.subarray(1);
  const secret = Uint8Array.from(scalar);
  try {
    const ephemeral = FRP256V1.ephemeralFrom(secret);
    ephemeral.wipe();
    if (point === undefined || equal(point, ephemeral.point)) return secret;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  wipe(secret);
  throw new Fault(
    'configuration',
    'the private key in the PEM is no key of FRP256V1, or not that of its point',
  );
}
