import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { decodeEcdsaSignature, encodeEcdsaSignature } from '../../shared/crypto/ecdsa-signature.ts';
import { derSignature } from './builder.ts';
import { buildHierarchy } from './hierarchy.ts';
import { type Verdict, verdict, verifyEuiccSide } from './verdict.ts';

/** Invalid signatures after the classes of Wycheproof's ecdsa_secp256r1_sha256 tests, in a real certificate. */
const ORDERS = {
  p256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  brainpoolP256r1: 'a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7',
  frp256v1: 'f1fd178c0b3ad58f10126de8ce42435b53dc67e140d2bf941ffdd459c6d655e1',
} as const;

const ZERO = tlv(0x02, Buffer.of(0));
const int = (hex: string): Bytes => tlv(0x02, Buffer.from(hex, 'hex'));
const rest = (signature: Bytes): Bytes => signature.subarray(2);
const r = (signature: Bytes): Bytes => rest(signature).subarray(0, 2 + rest(signature)[1]!);
const s = (signature: Bytes): Bytes => rest(signature).subarray(2 + rest(signature)[1]!);
const content = (integer: Bytes): Bytes => integer.subarray(2);
const seq = (...parts: Bytes[]): Bytes => tlv(0x30, ...parts);
const hexOf = (value: bigint): string => value.toString(16).padStart(66, '0');
const numberOf = (integer: Bytes): bigint => BigInt(`0x${Buffer.from(content(integer)).toString('hex')}`);

type Change = (signature: Bytes, order: bigint) => Bytes;

const notDer: Record<string, Change> = {
  empty: () => Buffer.alloc(0),
  'empty sequence': () => seq(),
  'r only': (sig) => seq(r(sig)),
  'r of zero': (sig) => seq(ZERO, s(sig)),
  's of zero': (sig) => seq(r(sig), ZERO),
  'both zero': () => seq(ZERO, ZERO),
  'r of no octets': (sig) => seq(tlv(0x02), s(sig)),
  's of no octets': (sig) => seq(r(sig), tlv(0x02)),
  'negative r': (sig) => seq(int(`ff${'80'.repeat(31)}`), s(sig)),
  'negative s': (sig) => seq(r(sig), int('80')),
  'r with a leading zero': (sig) => seq(tlv(0x02, Buffer.of(0), content(r(sig))), s(sig)),
  's with two leading zeros': (sig) => seq(r(sig), tlv(0x02, Buffer.of(0, 0), content(s(sig)))),
  'r of 33 octets': (sig) => seq(int(`01${'00'.repeat(32)}`), s(sig)),
  's of 33 octets': (sig) => seq(r(sig), int(`7f${'ff'.repeat(32)}`)),
  's of 200 octets': (sig) => seq(r(sig), int('7f'.repeat(200))),
  'sequence length in long form': (sig) =>
    Buffer.concat([Buffer.of(0x30, 0x81, rest(sig).length), rest(sig)]),
  'sequence length in longer form': (sig) =>
    Buffer.concat([Buffer.of(0x30, 0x82, 0, rest(sig).length), rest(sig)]),
  'sequence of indefinite length': (sig) =>
    Buffer.concat([Buffer.of(0x30, 0x80), rest(sig), Buffer.of(0, 0)]),
  'r length in long form': (sig) =>
    seq(Buffer.concat([Buffer.of(0x02, 0x81, content(r(sig)).length), content(r(sig))]), s(sig)),
  'sequence one octet too long': (sig) => Buffer.concat([Buffer.of(0x30, sig[1]! + 1), rest(sig)]),
  'sequence one octet too short': (sig) => Buffer.concat([Buffer.of(0x30, sig[1]! - 1), rest(sig)]),
  'octets after s': (sig) => seq(r(sig), s(sig), tlv(0x05)),
  'octets after the sequence': (sig) => Buffer.concat([sig, Buffer.of(0, 0)]),
  'a set': (sig) => tlv(0x31, r(sig), s(sig)),
  'r as OCTET STRING': (sig) => seq(tlv(0x04, content(r(sig))), s(sig)),
  'r as REAL': (sig) => seq(Buffer.from('090380fe01', 'hex'), s(sig)),
  'r as BOOLEAN': (sig) => seq(Buffer.from('010100', 'hex'), s(sig)),
  'r as NULL': (sig) => seq(tlv(0x05), s(sig)),
  'raw r‖s': (sig) => decodeEcdsaSignature(P256, sig),
};

const notValid: Record<string, Change> = {
  'r of one': (sig) => seq(int('01'), s(sig)),
  's of one': (sig) => seq(r(sig), int('01')),
  'both one': () => seq(int('01'), int('01')),
  'r of the order': (sig, n) => seq(int(hexOf(n)), s(sig)),
  's of the order': (sig, n) => seq(r(sig), int(hexOf(n))),
  'r of the order less one': (sig, n) => seq(int(hexOf(n - 1n)), s(sig)),
  's of the order less one': (sig, n) => seq(r(sig), int(hexOf(n - 1n))),
  'r of 2^256 less one': (sig) => seq(int(`00${'ff'.repeat(32)}`), s(sig)),
  's of 2^256 less one': (sig) => seq(r(sig), int(`00${'ff'.repeat(32)}`)),
  'r and s exchanged': (sig) => seq(s(sig), r(sig)),
  'r reflected': (sig, n) => seq(positive(n - numberOf(r(sig))), s(sig)),
};

/** Shortest INTEGER of a positive number. */
function positive(value: bigint): Bytes {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return int(Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even);
}

function withSignature(suite: keyof typeof ORDERS, change: Change): Verdict {
  const pki = buildHierarchy({
    suite,
    edit: {
      euicc: (spec) => {
        const { sign } = spec;
        spec.sign = (tbs) => change(sign(tbs), BigInt(`0x${ORDERS[suite]}`));
      },
    },
  });
  return verdict(() => verifyEuiccSide(pki));
}

describe.each(Object.keys(ORDERS) as (keyof typeof ORDERS)[])('a certificate signature on %s', (suite) => {
  test.each(Object.entries(notDer))('is refused where it is not DER: %s', (_, change) => {
    expect(withSignature(suite, change)).toBe('protocolFormat');
  });

  test.each(Object.entries(notValid))('is refused where it is not valid: %s', (_, change) => {
    expect(withSignature(suite, change)).toBe('euiccCertificateInvalid');
  });

  test('is taken untouched', () => expect(withSignature(suite, (signature) => signature)).toBe('accepted'));
});

test('every class of invalid signatures ran on each curve', () => {
  expect(Object.keys(notDer)).toHaveLength(29);
  expect(Object.keys(notValid)).toHaveLength(11);
});

test('an ECDSA signature is decoded as it was encoded, with short values padded to 32 octets', () => {
  for (const raw of [
    Buffer.concat([Buffer.alloc(31), Buffer.of(1), Buffer.alloc(32, 0xff)]),
    Buffer.concat([Buffer.alloc(32, 0x80), Buffer.alloc(30), Buffer.of(0x80, 0)]),
  ]) {
    expect(encodeEcdsaSignature(raw)).toEqual(derSignature(raw));
    expect(decodeEcdsaSignature(P256, encodeEcdsaSignature(raw))).toEqual(raw);
  }
});
