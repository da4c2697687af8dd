import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { readTlvHeader, tlv } from '../../shared/codec/tlv.ts';
import {
  completeEid,
  encodeEuiccEntry,
  encodeOneTimeKeyTbs,
  type SimEum,
  type SuiteName,
} from '../../sim/index.ts';

const EID_DIGITS = 32;
const POINT_LENGTH = 65;

/**
 * The entries of a production run with one one-time key each, in DER, made ten times as fast as the simulated EUM does
 * it: one certificate of its own is the form that all others are filled into and signed. Certificates on P-256 only.
 */
export function* productionEntries(
  eum: SimEum,
  count: number,
  onEid: (eid: string) => void = () => undefined,
): Generator<Bytes> {
  const [first] = eum.production(1);
  const form = new CertificateForm(first!.euiccCert, first!.eid, first!.key.point);
  const issuer = privateKeyOf(eum.ca.key);
  const infoHash = createHash('sha256').update(first!.euiccInfo2).digest();
  const serial = Buffer.from(first!.eid.slice(0, EID_DIGITS - 2));
  for (let made = 0; made < count; made++) {
    const eid = completeEid(`${serial.subarray(0, 18)}${String(made).padStart(12, '0')}`);
    onEid(eid);
    const euicc = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const oneTime = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keyId = randomBytes(16);
    const otPk = concat(pointOf(oneTime.publicKey), encapsulationKey(eum.suite));
    yield encodeEuiccEntry({
      eid,
      euiccCert: form.fill(eid, pointOf(euicc.publicKey), made, issuer),
      oneTimeKeys: [
        { keyId, otPk, proof: signRaw(encodeOneTimeKeyTbs(eid, keyId, otPk, infoHash), euicc.privateKey) },
      ],
    });
  }
}

/** What a hybrid one-time key has behind its point. */
const encapsulationKey = (suite: SuiteName): Bytes =>
  suite === 'p256-mlkem768'
    ? generateKeyPairSync('ml-kem-768').publicKey.export({ format: 'der', type: 'spki' }).subarray(-1184)
    : new Uint8Array(0);

/** A signed certificate whose places for EID, key and serial number are known. */
class CertificateForm {
  readonly #tbs: Buffer;
  readonly #algorithm: Bytes;
  readonly #places: {
    readonly eid: number;
    readonly point: number;
    readonly keyId: number;
    readonly serial: number;
  };

  constructor(certificate: Bytes, eid: string, point: Bytes) {
    const whole = Buffer.from(certificate).subarray(readTlvHeader(certificate).headerLength);
    const { headerLength, length } = readTlvHeader(whole);
    this.#tbs = Buffer.from(whole.subarray(0, headerLength + length));
    const algorithm = readTlvHeader(whole.subarray(this.#tbs.length));
    this.#algorithm = whole.subarray(
      this.#tbs.length,
      this.#tbs.length + algorithm.headerLength + algorithm.length,
    );
    const place = (octets: Uint8Array) => {
      const at = this.#tbs.indexOf(octets);
      if (at < 0) throw new Error('the certificate is not of the expected form');
      return at;
    };
    // version [0], then the serial number's header
    const serialAt = headerLength + 5;
    const serialLength = readTlvHeader(this.#tbs.subarray(serialAt)).length;
    this.#places = {
      eid: place(Buffer.from(eid)),
      point: place(point),
      keyId: place(keyIdentifier(point)),
      serial: serialAt + 2 + serialLength - 4,
    };
  }

  fill(eid: string, point: Bytes, serial: number, issuer: KeyObject): Bytes {
    this.#tbs.write(eid, this.#places.eid, 'latin1');
    this.#tbs.set(point, this.#places.point);
    this.#tbs.set(keyIdentifier(point), this.#places.keyId);
    this.#tbs.writeUInt32BE(serial, this.#places.serial);
    const signature = sign('sha256', this.#tbs, issuer);
    return tlv(0x30, this.#tbs, this.#algorithm, tlv(0x03, Buffer.of(0), signature));
  }
}

const keyIdentifier = (point: Bytes) => createHash('sha1').update(point).digest();

const pointOf = (key: KeyObject): Bytes =>
  key.export({ format: 'der', type: 'spki' }).subarray(-POINT_LENGTH);

const signRaw = (message: Bytes, key: KeyObject) =>
  sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });

function privateKeyOf({ scalar, point }: SimEum['ca']['key']): KeyObject {
  const base64url = (octets: Bytes) => Buffer.from(octets).toString('base64url');
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      d: base64url(scalar),
      x: base64url(point.subarray(1, 33)),
      y: base64url(point.subarray(33)),
    },
  });
}
