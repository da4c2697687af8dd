import { createPublicKey, randomBytes } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import type { Runtime } from '../../shared/runtime.ts';
import type { Deployment } from './deployment.ts';
import { sharedSoftkey } from './softkeys.ts';

/** Personalisation data as Operators make it: a row is names and values. */
export type TestRow = Readonly<Record<string, string>>;

export const csvOf = (rows: readonly TestRow[]) => {
  const columns = Object.keys(rows[0]!);
  return Buffer.from(
    [columns.join(','), ...rows.map((row) => columns.map((name) => row[name]).join(','))].join('\r\n'),
  );
};

export const jsonLinesOf = (rows: readonly TestRow[]) =>
  Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

export interface BlockOptions {
  readonly orderId: string;
  readonly rowsPerBlock: number;
  readonly cty?: 'csv' | 'jsonl';
  /** Members of the protected header that are other than they should be, by block. */
  readonly header?: (block: number) => Readonly<Record<string, unknown>>;
}

/** A file of encrypted blocks, made with another implementation of JWE than the server's. */
export async function blocksOf(
  intakeKey: Readonly<Record<string, unknown>>,
  rows: readonly TestRow[],
  { orderId, rowsPerBlock, cty = 'csv', header = () => ({}) }: BlockOptions,
): Promise<string[]> {
  const key = createPublicKey({ key: intakeKey as never, format: 'jwk' });
  const blocks = Math.ceil(rows.length / rowsPerBlock);
  return await Promise.all(
    Array.from({ length: blocks }, (_, block) => {
      const own = rows.slice(block * rowsPerBlock, (block + 1) * rowsPerBlock);
      return new CompactEncrypt(cty === 'csv' ? csvOf(own) : jsonLinesOf(own))
        .setProtectedHeader({
          alg: String(intakeKey.alg),
          enc: 'A256GCM',
          cty,
          order: orderId,
          block,
          blocks,
          ...header(block),
        })
        .encrypt(key);
    }),
  );
}

/** Rows for the project's own template, with every secret that an operational profile needs. */
export function secretRows(count: number, first = 0): TestRow[] {
  return Array.from({ length: count }, (_, i) => {
    const number = String(first + i);
    return {
      iccid: `8988299${number.padStart(11, '0')}`,
      imsi: `00101${number.padStart(10, '0')}`,
      k: randomBytes(16).toString('hex'),
      opc: randomBytes(16).toString('hex'),
      adm1: number.padStart(8, '1'),
      puk1: number.padStart(8, '2'),
      puk2: number.padStart(8, '3'),
      'scp80.01.enc': randomBytes(16).toString('hex'),
      'scp80.01.mac': randomBytes(16).toString('hex'),
      'scp80.01.dek': randomBytes(16).toString('hex'),
    };
  });
}

/** The configuration of a deployment that takes encrypted rows, and the key that goes with it. */
export const intakeUri = (folder: string) => `softkey:path=${folder}/keys/intake.key`;

export async function withIntakeKey(deployment: Deployment): Promise<void> {
  const uri = intakeUri(deployment.folder);
  await sharedSoftkey(deployment.runtime.keys, uri, 'rsa-oaep', 'intake');
  deployment.config = {
    ...deployment.config,
    keys: { ...deployment.config.keys, intake: uri },
  };
  await deployment.reopen();
}

export const intakeKeyOf = async ({ services }: Runtime) =>
  (await services.orders.getServerKeys({ role: 'operator' })).intakeKey!;
