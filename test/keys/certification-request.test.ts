import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { encodeOid } from '../../shared/codec/oid.ts';
import { dpPbCertificationRequest } from '../../shared/keys/certification-request.ts';
import { KeyRegistry } from '../../shared/keys/registry.ts';
import { SoftkeyProvider } from '../../shared/keys/softkey.ts';
import { opensslMissing } from '../pki/openssl-certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'csr-'));
afterAll(() => rmSync(folder, { recursive: true }));

const REQUEST = {
  organizationName: 'Betreiber & Söhne',
  commonName: 'SM-DPf',
  smdpOid: '2.999.10',
} as const;

describe.each(['ecdsa-p256', 'ecdsa-brainpoolP256r1'] as const)('a request for an %s key', (algorithm) => {
  test.skipIf(opensslMissing !== undefined).each([
    ['v2', '2.23.146.1.2.1.5'],
    ['v3', '2.23.146.1.2.1.0.0.1.2'],
  ] as const)(
    `verifies with OpenSSL and asks for the role dp-pb (%s)${opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`}`,
    async (column, policy) => {
      const uri = `softkey:${folder}/${algorithm}-${column}.key`;
      const softkey = new SoftkeyProvider({
        nodeEnv: undefined,
        env: { PASS: 'a long passphrase' },
        defaultPassphraseSource: { kind: 'env', name: 'PASS' },
      });
      await softkey.generate(uri, algorithm, 'binding');
      const key = await new KeyRegistry({ softkey: async () => softkey }).openSigningKey(uri, 'binding');

      const der = await dpPbCertificationRequest(key, { ...REQUEST, column });

      const openssl = (...options: string[]) =>
        execFileSync('openssl', ['req', '-inform', 'DER', '-noout', ...options], {
          input: der,
          stdio: 'pipe',
        });
      // -verify exits with 0 whatever it found in some versions, so its words are read as well
      expect(
        execFileSync('sh', ['-c', 'openssl req -inform DER -noout -verify 2>&1'], { input: der }).toString(),
      ).toMatch(/verify OK/);
      const text = openssl('-text', '-nameopt', 'utf8,sep_comma_plus').toString();
      expect(text).toContain('O=Betreiber & Söhne,CN=SM-DPf');
      expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
      expect(text).toMatch(
        new RegExp(`Certificate Policies: critical\\s+Policy: ${policy.replaceAll('.', '\\.')}\n`),
      );
      expect(text).toMatch(/Registered ID:2\.999\.10/);
      expect(toHex(der)).toContain(toHex(encodeOid('1.2.840.10045.4.3.2')));
      expect(toHex(der)).toContain(toHex(key.publicKey));
    },
  );
});
