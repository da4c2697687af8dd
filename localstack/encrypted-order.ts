import assert from 'node:assert/strict';
import { createPublicKey, randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { IDENTIFIERS, type SmokeWorld } from '../cli/aws/smoke/world.ts';
import type { DemoRecord } from '../cli/demo/steps.ts';
import { ownTemplate } from '../shared/profile/package/template/own-profile.ts';

const ROWS = 3;

/**
 * An order whose rows the Operator encrypted to the server's intake key, an RSA key of KMS: what comes back for its HSS
 * is what it gave, so each row was opened and went into its profile.
 */
export async function orderEncrypted(
  record: DemoRecord,
  { operator, outputKey, run, made }: SmokeWorld,
): Promise<void> {
  const orderId = `JWE-${run}`;
  made.orders.push(orderId);
  const series = String(Number.parseInt(run, 16)).padStart(10, '0');
  const secret = () => randomBytes(16).toString('hex');
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    iccid: `8901${series}${String(i).padStart(4, '0')}`,
    imsi: `00102${series}`.slice(0, 14) + i,
    k: secret(),
    opc: secret(),
    adm1: '11111111',
    puk1: '22222222',
    puk2: '33333333',
    'scp80.01.enc': secret(),
    'scp80.01.mac': secret(),
    'scp80.01.dek': secret(),
  }));
  await record.step(
    '1b',
    'ES2f',
    'The Operator orders by rows of its own, encrypted to the server',
    async () => {
      const { intakeKey } = await operator.client.execute('es2f', 'getServerKeys', {});
      const key = createPublicKey({ key: intakeKey as never, format: 'jwk' });
      const block = await new CompactEncrypt(
        Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
      )
        .setProtectedHeader({
          alg: 'RSA-OAEP-256',
          enc: 'A256GCM',
          cty: 'jsonl',
          order: orderId,
          block: 0,
          blocks: 1,
        })
        .encrypt(key);
      const answer = await operator.client.execute('es2f', 'prepareProfiles', {
        orderId,
        profileType: 'smoke',
        quantity: ROWS,
        requesterDms: [IDENTIFIERS.maker],
        template: Buffer.from(ownTemplate()).toString('base64'),
        rows: Buffer.from(block).toString('base64'),
        personalisation: { format: 'jwe' },
        eligibility: {},
        metadata: { serviceProviderName: 'Smoke', profileName: 'Profile', profileClass: 'operational' },
        outputKey: outputKey.jwk,
      });
      assert.equal(answer.state, 'Open');
      const output = await operator.client.execute('es2f', 'getOrderOutput', { orderId, pack: 0 });
      const { plaintext } = await compactDecrypt(String(output.jwe), outputKey.privateKey);
      const told = Buffer.from(plaintext).toString('utf8').trim().split('\n');
      for (const [i, line] of told.entries()) {
        const { k, opc, imsi } = JSON.parse(line) as Record<string, string>;
        assert.deepEqual({ k, opc, imsi }, { k: rows[i]!.k, opc: rows[i]!.opc, imsi: rows[i]!.imsi });
      }
      return told.length;
    },
    (count) => `${count} rows opened by KMS, and back as they were given`,
  );
}
