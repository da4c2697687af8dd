import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { Refusal } from '../../shared/errors.ts';
import { type Certificate, decodeCertificate } from '../../shared/pki/certificate.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { MUTATION_NAMES, mutated, mutatedBy } from './certificate-mutations.ts';
import { certificatesByOpenssl, opensslMissing } from './openssl-certificates.ts';

/** What a refusal of a certificate may say: each names the rule that was left. Nothing else may come. */
const RULES: readonly RegExp[] = [
  // a field of the type, by its name or its place
  /\b[\w ]+? (?:\([0-9A-F]+\) )?is missing at offset \d+/,
  /\b[\w ]+? \([0-9A-F]+\) expected but [0-9A-F]+ found at offset \d+/,
  /^unexpected [0-9A-F]+ at offset \d+/,
  // X.690
  /^length of [0-9A-F]+ is (?:indefinite|not minimal|more than four octets) at offset \d+/,
  /^length of [0-9A-F]+ has more than four octets/,
  /^tag is (?:not in its shortest form|longer than three octets) at offset \d+/,
  /is not a BIT STRING \(X\.690 section 8\.6\.2\)/,
  /a BOOLEAN is one octet \(X\.690 section 8\.2\.1\)/,
  /\w+ is (?:negative|empty|too large|not a whole number of octets)/,
  /\w+ has (?:\d+ octets, not|more than \d+ octets)/,
  /an object identifier (?:is cut off|has an arc that is not minimal|has an oversized arc)/,
  /^extension [\d.]+ ends too early/,
  // RFC 5280
  /is not a date and time in UTC to the second|is neither UTCTime nor GeneralizedTime/,
  /occurs twice/,
  /value is (?:not UTF-8|longer than \d+ octets)|name has more than 16 attributes/,
  /the certificate is of version \d+; SGP\.22 section 4\.5\.2\.1 wants 3/,
  /unknown critical extension [\d.]+/,
  /pathLenConstraint is for CA certificates/,
  /not a GeneralName|not a visible IA5String|not 1 to \d+ octets/,
  /only directory names are supported|excludedSubtrees are not supported|the minimum of a subtree is 0/,
  /the signature algorithm is [\d.]+, not ecdsa-with-SHA256/,
  // RFC 5480
  /the public key is (?:a compressed point|a hybrid point|the point at infinity|no point of|no whole number)/,
  /the public key of the certificate is not a point of its curve/,
  /the key algorithm is [\d.]+, not id-ecPublicKey/,
  /the key is on the curve [\d.]+, not on one of ours|no curve parameters|implicitCurve|explicit (?:curve )?parameters/,
];

type Verdict = { readonly certificate: Certificate } | { readonly refusal: Refusal };

/** Everything that is read of a certificate before its chain is looked at. Any other error than a Refusal passes. */
function read(der: Uint8Array): Verdict {
  try {
    const certificate = decodeCertificate(der, 'eumCertificateInvalid');
    expect(certificate.publicKey.point).toHaveLength(65);
    return { certificate };
  } catch (refusal) {
    if (refusal instanceof Refusal) return { refusal };
    throw refusal;
  }
}

describe.skipIf(opensslMissing !== undefined)(
  `certificates made with openssl${opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`}`,
  () => {
    const bases = opensslMissing === undefined ? certificatesByOpenssl() : [];

    test.each(bases)('$what is taken as it is', ({ der, issuerKey }) => {
      const verdict = read(der);
      if ('refusal' in verdict) throw verdict.refusal;
      const issuer = fromSpki(createPublicKey(issuerKey).export({ format: 'der', type: 'spki' }));
      expect(verdict.certificate.isSignedBy(issuer)).toBe(true);
    });

    test.each([
      'unique identifiers',
      'bits with trailing zeros',
      'a number with octets that it does not need',
    ])('with %s are taken', (change) => {
      const { der, issuerKey } = bases[0]!;
      const { der: changed, changes } = mutatedBy(change, der, issuerKey, () => 0);
      expect(changes).toHaveLength(1);
      expect(read(changed)).toHaveProperty('certificate');
    });

    test('with an extension that ends too early are not called cut off: the file is whole', () => {
      const { der, issuerKey } = bases[1]!;
      const random = randomNumbers(7);
      for (let i = 0; i < 50; i++) {
        const { der: changed } = mutatedBy('an extension that ends too early', der, issuerKey, random);
        const verdict = read(changed);
        if ('refusal' in verdict) expect(verdict.refusal.defect).not.toBe('cutOff');
      }
      // where the octets that are left happen to be an extension of their own there is nothing to refuse
      const refused = Array.from({ length: 12 }, (_, choice) =>
        read(mutatedBy('an extension that ends too early', der, issuerKey, (below) => choice % below).der),
      ).flatMap((verdict) => ('refusal' in verdict ? [verdict.refusal] : []));
      expect(refused.filter(({ defect }) => defect === 'rule').map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/^extension 2\.5\.29\.\d+ ends too early/),
      );
    });

    test('and changed, what openssl verifies is taken by the same meaning or refused by the name of a rule', () => {
      const random = randomNumbers(20261127);
      const made = effort({ short: 600, long: 10_000 });
      const keys = bases.map(({ issuerKey }) => {
        const key = createPublicKey(issuerKey);
        return { key, own: fromSpki(key.export({ format: 'der', type: 'spki' })) };
      });
      const seen = { taken: 0, refused: 0 };
      for (let i = 0; i < made; i++) {
        const at = random(bases.length);
        const { what, der, issuerKey } = bases[at]!;
        const { der: changed, changes } = mutated(der, issuerKey, random);
        const told = `${what}: ${changes.join(', ')}\n${toHex(changed)}`;
        const verdict = read(changed);
        if ('refusal' in verdict) {
          const { message, defect } = verdict.refusal;
          expect(RULES.some((rule) => rule.test(message)) ? '' : `${message}\n${told}`).toBe('');
          // its end is there: nobody is told to fetch the file again
          expect(defect === 'cutOff' || defect === 'otherKind' ? `${defect} ${message}\n${told}` : '').toBe(
            '',
          );
          seen.refused += 1;
          continue;
        }
        const peer = byOpenssl(changed, keys[at]!.key);
        if (peer === undefined) continue;
        const { certificate } = verdict;
        expect(certificate.isSignedBy(keys[at]!.own), told).toBe(true);
        expect(certificate.notAfterMs, told).toBe(peer.validToDate.getTime());
        expect(certificate.notBeforeMs, told).toBe(peer.validFromDate.getTime());
        if (!peer.serialNumber.startsWith('-'))
          expect(BigInt(`0x${certificate.serialNumber}`), told).toBe(BigInt(`0x${peer.serialNumber || '0'}`));
        seen.taken += 1;
      }
      expect(MUTATION_NAMES.length).toBeGreaterThan(20);
      expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(made / 10);
      count('mutations', made);
    }, 120_000);
  },
);

/** The certificate as OpenSSL reads it, where it parses and its signature verifies. */
function byOpenssl(der: Uint8Array, key: ReturnType<typeof createPublicKey>): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der);
    return certificate.verify(key) ? certificate : undefined;
  } catch {
    return undefined;
  }
}
