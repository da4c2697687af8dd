import { createPrivateKey } from 'node:crypto';
import { equal, toHex, wipe } from '../../../shared/codec/bytes.ts';
import { toSpki } from '../../../shared/crypto/curves.ts';
import { readSpki } from '../../../shared/crypto/ec-key-forms.ts';
import { Refusal, refuse } from '../../../shared/errors.ts';
import { ecPrivateKeyFromDer } from '../../../shared/keys/ec-private-key.ts';
import { decodeSoftkeyHeader, isSoftkey } from '../../../shared/keys/softkey-file.ts';
import type { Describer, Finding } from '../artefact.ts';
import type { Field } from '../shape.ts';
import { tlvDescriber } from '../tlv-describer.ts';
import { SUBJECT_PUBLIC_KEY_INFO_SHAPE } from './certificate.ts';
import { startsAsSequenceOf } from './sequence.ts';

export const publicKey = tlvDescriber({
  kind: 'publicKey',
  title: 'Public key (SubjectPublicKeyInfo)',
  tag: 0x30,
  matches: (octets) => startsAsSequenceOf(octets, 0x30, 0x06),
  shape: SUBJECT_PUBLIC_KEY_INFO_SHAPE,
  check(octets) {
    const key = readSpki(octets);
    const findings: Finding[] = [{ severity: 'note', message: `a point of ${key.curve.name}` }];
    if (!equal(toSpki(key), octets))
      findings.push({
        severity: 'note',
        message: 'its form is taken here, and not in a certificate: named curve and uncompressed point there',
      });
    return findings;
  },
});

/** A private key in PKCS#8 or SEC1: only that it is one, and on which curve. */
export const privateKey: Describer = {
  kind: 'privateKey',
  title: 'Private key, in clear',
  matches: (octets) => startsAsSequenceOf(octets, 0x02),
  describe(octets) {
    const findings: Finding[] = [
      { severity: 'warning', message: 'a private key in clear is for test material only' },
    ];
    const field: Field = {
      name: 'privateKey',
      tag: '30',
      offset: 0,
      length: octets.length,
      value: `${curveOrType(octets, findings)}; its octets are not shown`,
    };
    return { fields: [field], findings };
  },
};

function curveOrType(octets: Uint8Array, findings: Finding[]): string {
  try {
    const ec = ecPrivateKeyFromDer(octets);
    wipe(ec?.scalar);
    if (ec !== undefined) return ec.curve.openSslName ?? ec.curve.name;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code !== 'protocolFormat') {
      findings.push({ severity: 'error', message: error.message });
      return 'ec';
    }
  }
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    try {
      return createPrivateKey({ key: Buffer.from(octets), format: 'der', type }).asymmetricKeyType ?? type;
    } catch {
      // the other form, or none: OpenSSL's message is of no help
    }
  }
  return refuse('protocolFormat', 'the private key is neither PKCS#8 nor SEC1 (in 30 at offset 0)', {
    subjectIdentifier: '30',
    offset: 0,
  });
}

/** Header, one octet of ciphertext at least, tag. */
const SHORTEST_SOFTKEY = 42 + 1 + 16;

/** A softkey file: its header. The key itself is encrypted. */
export const softkey: Describer = {
  kind: 'softkey',
  title: 'softkey file',
  matches: isSoftkey,
  describe(octets) {
    if (octets.length < SHORTEST_SOFTKEY)
      refuse('protocolFormat', `the softkey file is cut off at offset ${octets.length}`, {
        subjectIdentifier: 'softkey',
        offset: octets.length,
      });
    const header = decodeSoftkeyHeader(octets);
    const field = (name: string, offset: number, length: number, value: string | number): Field => ({
      name,
      tag: '',
      offset,
      length,
      value,
    });
    return {
      fields: [
        field('version', 8, 1, header.version),
        field('scrypt log2(N)', 9, 1, header.log2N),
        field('scrypt r', 10, 1, header.r),
        field('scrypt p', 11, 1, header.p),
        field('role', 12, 1, header.role ?? `unknown (${octets[12]})`),
        field('algorithm', 13, 1, header.algorithm ?? `unknown (${octets[13]})`),
        field('salt', 14, 16, toHex(header.salt)),
        field('IV', 30, 12, toHex(header.iv)),
        field('ciphertext and tag', 42, octets.length - 42, `${octets.length - 42} octets, not shown`),
      ],
      findings: [],
    };
  },
};
