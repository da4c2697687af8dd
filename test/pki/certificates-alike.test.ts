import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { readTlv, tlv } from '../../shared/codec/tlv.ts';
import { Refusal } from '../../shared/errors.ts';
import { type Certificate, decodeCertificate } from '../../shared/pki/certificate.ts';
import { CertificatesAlike } from '../../shared/pki/certificates-alike.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { hasTestdata, testdata } from '../support/testdata.ts';
import { mutated } from './certificate-mutations.ts';
import { buildHierarchy } from './hierarchy.ts';

const REFUSED_AS = 'euiccCertificateInvalid';
const SGP26 = ['CERT_EUM_ECDSA_NIST', 'CERT_CI_ECDSA_BRP', 'CERT_S_SM_DPpb_ECDSA_NIST'];

const bases: readonly (readonly [name: string, der: Bytes])[] = [
  ...Object.entries(buildHierarchy().certificates),
  ...Object.entries(buildHierarchy({ variant: 'C' }).certificates).map(
    ([name, der]) => [`${name} of variant C`, der] as const,
  ),
  ...(hasTestdata ? SGP26.map((name) => [name, testdata(`sgp26/${name}.der`)] as const) : []),
];

/** All that is read of it, or all that its refusal says; whether octets are a Buffer or not is no difference. */
function told(read: () => Certificate): unknown {
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return toHex(value);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
    return value;
  };
  try {
    const { curve, ...fields } = read();
    return { ...(plain(fields) as object), curve: curve.name };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message, offset, defect, subjectIdentifier } = error;
    return { code, message, offset, defect, subjectIdentifier };
  }
}

/** A reader that has read the certificate. */
function acquainted(der: Bytes): CertificatesAlike {
  const reader = new CertificatesAlike();
  reader.decode(der, REFUSED_AS);
  return reader;
}

function expectSame(reader: CertificatesAlike, der: Bytes): void {
  const whole = told(() => decodeCertificate(der, REFUSED_AS));
  expect(
    told(() => reader.decode(der, REFUSED_AS)),
    toHex(der),
  ).toEqual(whole);
}

describe('a certificate that is held against the one before', { tags: ['CERT-FORM'] }, () => {
  test.each(bases)('is not read as a whole once more: %s', (_, der) => {
    const reader = acquainted(der);
    const [one, other] = [reader.decode(der, REFUSED_AS), reader.decode(der, REFUSED_AS)];
    // what is read as a whole has a name of its own
    expect(one.issuer).toBe(other.issuer);
    expect(decodeCertificate(der).issuer).not.toBe(decodeCertificate(der).issuer);
    expectSame(reader, der);
  });

  test('is told from it by its own serial number, EID, key and dates', () => {
    const der = buildHierarchy().certificates.euicc!;
    const reader = acquainted(der);
    const other = buildHierarchy().certificates.euicc!;
    const read = reader.decode(other, REFUSED_AS);
    expect(toHex(read.publicKey.point)).toBe(toHex(decodeCertificate(other).publicKey.point));
    expect(toHex(read.spki)).not.toBe(toHex(decodeCertificate(der).spki));
    expectSame(reader, other);
  });

  test.each(bases)('is read to the same end with an octet of it changed: %s', (_, der) => {
    const values = effort({ short: 1, long: 24 });
    const stride = effort({ short: 5, long: 1 });
    const random = randomNumbers(20261128);
    for (let at = random(stride); at < der.length; at += stride) {
      const reader = acquainted(der);
      for (let i = 0; i < values; i++) {
        const changed = Buffer.from(der);
        changed[at] = changed[at]! ^ (1 + random(255));
        expectSame(reader, changed);
      }
    }
    count('mutations', Math.floor(der.length / stride) * values);
  });

  test('is read to the same end however it is changed', () => {
    const random = randomNumbers(20261127);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const made = effort({ short: 400, long: 20_000 });
    const readers = bases.map(([, der]) => acquainted(der));
    for (let i = 0; i < made; i++) {
      const at = random(bases.length);
      // what is taken is what the next is held against
      expectSame(readers[at]!, mutated(bases[at]![1], privateKey, random).der);
    }
    count('mutations', made);
  });

  test('is read to the same end with a signature of every length', () => {
    const der = buildHierarchy().certificates.euicc!;
    const reader = acquainted(der);
    const tbs = readTlv(readTlv(der).value).raw;
    const algorithm = readTlv(readTlv(der).value, tbs.length).raw;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const lengths = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const signature = sign('sha256', tbs, privateKey);
      lengths.add(signature.length);
      expectSame(reader, tlv(0x30, tbs, algorithm, tlv(0x03, Buffer.of(0), signature)));
      expectSame(reader, tlv(0x30, tbs, algorithm, tlv(0x03, Buffer.of(0), signature), Buffer.of(5, 0)));
      expectSame(reader, tlv(0x30, tbs, algorithm, tlv(0x03, Buffer.of(0), signature.subarray(0, -1))));
    }
    expect(lengths.size).toBeGreaterThan(1);
  });
});
