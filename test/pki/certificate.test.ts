import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { Refusal } from '../../shared/errors.ts';
import { decodeCertificate, decodeStanding, MAX_CERTIFICATE } from '../../shared/pki/certificate.ts';
import { decodeCrl } from '../../shared/pki/crl.ts';
import { RevocationLists } from '../../shared/pki/revocation.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { bitString, type CertificateSpec, oid, sequence } from './builder.ts';
import { AT_MS, buildHierarchy, EID, IIN, policyOf } from './hierarchy.ts';
import { eumOf, type Verdict, verdict, verifyEuiccSide } from './verdict.ts';

describe('decoding a certificate', { tags: ['CERT-FORM'] }, () => {
  const pki = buildHierarchy();
  const eum = pki.certificates.eum!;
  const decoded = decodeCertificate(eum);

  test('reads how an eUICC certificate stands as decoding all of it does', () => {
    for (const [name, der] of Object.entries(pki.certificates)) {
      const { serialNumber, notBeforeMs, notAfterMs, extensions } = decodeCertificate(der);
      expect(decodeStanding(der), name).toEqual({
        serialNumber,
        notBeforeMs,
        notAfterMs,
        isCa: false,
        extensions:
          extensions.cRLDistributionPoints === undefined
            ? {}
            : { cRLDistributionPoints: extensions.cRLDistributionPoints },
      });
    }
  });

  test('reads every field of an EUM certificate', () => {
    expect(decoded.serialNumber).toBe('0102');
    expect(decoded.subject.attributes.map(({ value }) => value)).toEqual(['ES', 'RSP Test EUM', 'EUM Test']);
    expect(decoded.issuer.raw).toEqual(Buffer.from(pki.subjects.ci));
    expect(new Date(decoded.notBeforeMs).toISOString()).toBe('2020-04-01T00:00:00.000Z');
    expect(decoded.publicKey.point).toEqual(pki.keys.eum.point);
    expect(decoded.extensions).toMatchObject({
      keyUsage: 1 << 5,
      basicConstraints: { cA: true, pathLenConstraint: 0 },
      certificatePolicies: [policyOf('eum', 'v2')],
      subjectAltName: { registeredIds: ['2.999.5'], dnsNames: [] },
      nameConstraints: [
        [
          { type: '2.5.4.10', value: 'RSP Test EUM' },
          { type: '2.5.4.5', value: IIN },
        ],
      ],
      cRLDistributionPoints: ['http://ci.test.example.com/CRL-ci.crl'],
    });
  });

  test('agrees with OpenSSL', () => {
    const peer = new X509Certificate(eum);
    expect(decoded.serialNumber.toUpperCase()).toBe(peer.serialNumber);
    expect(new Date(decoded.notBeforeMs)).toEqual(peer.validFromDate);
    expect(new Date(decoded.notAfterMs)).toEqual(peer.validToDate);
    expect(decoded.spki).toEqual(peer.publicKey.export({ format: 'der', type: 'spki' }));
    expect(peer.verify(new X509Certificate(pki.certificates.ci!).publicKey)).toBe(true);
  });

  test('keeps the last second of an eUICC certificate that ends in year 7496', () => {
    const { notAfterMs } = decodeCertificate(pki.certificates.euicc!);
    expect(new Date(notAfterMs).toISOString()).toBe('7496-01-24T00:00:00.000Z');
  });

  test('refuses oversized input before reading it', () => {
    expect(verdict(() => decodeCertificate(Buffer.alloc(MAX_CERTIFICATE + 1)))).toBe('tooLarge');
  });
});

describe('a certificate whose key is no point is refused', () => {
  const change: Record<string, { edit: (spki: Buffer) => Bytes; expected: Verdict }> = {
    'y changed': { edit: (spki) => flip(spki, spki.length - 1), expected: 'euiccCertificateInvalid' },
    'x changed': { edit: (spki) => flip(spki, spki.length - 40), expected: 'euiccCertificateInvalid' },
    'zero, zero': { edit: (spki) => fill(spki, 0), expected: 'euiccCertificateInvalid' },
    'coordinates beyond p': { edit: (spki) => fill(spki, 0xff), expected: 'euiccCertificateInvalid' },
    'x and y exchanged': { edit: exchange, expected: 'euiccCertificateInvalid' },
    'on the twist': { edit: (spki) => put(spki, TWIST), expected: 'euiccCertificateInvalid' },
    infinity: { edit: () => spkiOf(Buffer.of(0)), expected: 'euiccCertificateInvalid' },
    compressed: { edit: (spki) => spkiOf(pointOf(spki, 2, 32)), expected: 'euiccCertificateInvalid' },
    'hybrid form': { edit: (spki) => spkiOf(pointOf(spki, 6, 64)), expected: 'euiccCertificateInvalid' },
    'one octet short': { edit: (spki) => spkiOf(pointOf(spki, 4, 63)), expected: 'euiccCertificateInvalid' },
    'one octet long': {
      edit: (spki) => spkiOf(Buffer.concat([pointOf(spki, 4, 64), Buffer.of(0)])),
      expected: 'euiccCertificateInvalid',
    },
    empty: { edit: () => spkiOf(Buffer.alloc(0)), expected: 'euiccCertificateInvalid' },
    'unused bits': { edit: (spki) => spkiOf(pointOf(spki, 4, 64), 1), expected: 'euiccCertificateInvalid' },
    'explicit curve parameters': {
      edit: (spki) => sequence(sequence(oid('1.2.840.10045.2.1'), sequence()), spki.subarray(-68)),
      expected: 'securityConfiguration',
    },
    'RSA algorithm': {
      edit: (spki) => sequence(sequence(oid('1.2.840.113549.1.1.1'), tlv(0x05)), spki.subarray(-68)),
      expected: 'securityConfiguration',
    },
  };

  const TWIST = pointOfTwist();

  function flip(spki: Buffer, at: number): Buffer {
    spki[at]! ^= 1;
    return spki;
  }
  function fill(spki: Buffer, octet: number): Buffer {
    return spki.fill(octet, spki.length - 64);
  }
  function put(spki: Buffer, xy: Bytes): Buffer {
    spki.set(xy, spki.length - 64);
    return spki;
  }
  function exchange(spki: Buffer): Buffer {
    return put(spki, Buffer.concat([spki.subarray(-32), spki.subarray(-64, -32)]));
  }
  function pointOf(spki: Buffer, form: number, length: number): Bytes {
    return Buffer.concat([Buffer.of(form), spki.subarray(-64).subarray(0, length)]);
  }
  function spkiOf(point: Bytes, unused = 0): Bytes {
    return sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(point, unused));
  }

  test.each(Object.entries(change))('%s', (_, { edit, expected }) => {
    const pki = buildHierarchy({
      edit: {
        euicc: (spec: CertificateSpec) => {
          spec.spki = edit(Buffer.from(spec.spki));
        },
      },
    });
    expect(verdict(() => verifyEuiccSide(pki))).toBe(expected);
  });

  test('every kind of invalid point has its row', () => expect(Object.keys(change)).toHaveLength(15));
});

/** x and y of a point on the quadratic twist of P-256, y² = x³ − 3x − b (−1 is no square, as p ≡ 3 mod 4). */
function pointOfTwist(): Bytes {
  const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
  const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let square = base % p, rest = exponent; rest > 0n; square = (square * square) % p, rest >>= 1n)
      if (rest & 1n) result = (result * square) % p;
    return result;
  };
  for (let x = 1n; ; x++) {
    const right = (x * x * x - 3n * x + p - b + p) % p;
    const y = power(right, (p + 1n) / 4n);
    if ((y * y) % p === right)
      return Buffer.from([x, y].map((value) => value.toString(16).padStart(64, '0')).join(''), 'hex');
  }
}

describe('hostile octets of certificates and lists', { tags: ['CERT-FORM', 'MCE02'] }, () => {
  const pki = buildHierarchy({
    crl: {
      ci: (spec) => {
        spec.entries = [{ serial: Buffer.from('020101', 'hex'), reason: 1 }];
      },
    },
  });
  const eum = eumOf(pki);
  const euicc = Buffer.from(pki.certificates.euicc!);
  const eumDer = Buffer.from(pki.certificates.eum!);
  const list = Buffer.from(pki.crls[0]!.der);
  const ci = decodeCertificate(pki.certificates.ci!);

  const readers: Record<string, { der: Buffer; read: (der: Bytes) => unknown }> = {
    'eUICC certificate': { der: euicc, read: (der) => eum.verifyEuicc(der, EID) },
    'EUM certificate': {
      der: eumDer,
      read: (der) => verifyEuiccSide({ ...pki, certificates: { ...pki.certificates, eum: der } }),
    },
    'revocation list': { der: list, read: (der) => new RevocationLists().add(der, ci, AT_MS) },
  };

  test.each(Object.entries(readers))('the untouched %s is accepted', (_, { der, read }) => {
    expect(verdict(() => read(der))).toBe('accepted');
  });

  test.each(Object.entries(readers))('every truncation of the %s is refused', (_, { der, read }) => {
    for (let length = 0; length < der.length; length++)
      expect(() => read(der.subarray(0, length))).toThrow(Refusal);
  });

  /** Bits from one that is changed to the next; odd, so that each place in an octet comes up. */
  const STRIDE = effort({ short: 5, long: 1 });
  const SPLICES = effort({ short: 800, long: 4_000 });

  test.each(Object.entries(readers))('every single bit of the %s counts', (_, { der, read }) => {
    for (let bit = 0; bit < der.length * 8; bit += STRIDE) {
      const changed = Buffer.from(der);
      changed[bit >>> 3]! ^= 1 << (bit & 7);
      expect(() => read(changed), `bit ${bit}`).toThrow(Refusal);
      count('mutations', 1);
    }
  });

  const splice = fc.record({
    at: fc.nat(),
    remove: fc.nat(8),
    insert: fc.uint8Array({ maxLength: 8 }),
  });

  test.each(Object.entries(readers))('mutations of the %s raise nothing but refusals', (_, { der, read }) => {
    fc.assert(
      fc.property(fc.array(splice, { minLength: 1, maxLength: 4 }), (edits) => {
        let changed: Bytes = der;
        for (const { at, remove, insert } of edits) {
          const start = at % (changed.length + 1);
          changed = Buffer.concat([changed.subarray(0, start), insert, changed.subarray(start + remove)]);
        }
        fc.pre(toHex(changed) !== toHex(der));
        expect(() => read(changed)).toThrow(Refusal);
      }),
      { numRuns: SPLICES },
    );
    count('mutations', SPLICES);
  });

  test('random octets are refused by every decoder', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        expect(() => decodeCertificate(octets)).toThrow(Refusal);
        expect(() => decodeCrl(octets)).toThrow(Refusal);
      }),
      { numRuns: 2000 },
    );
  });
});
