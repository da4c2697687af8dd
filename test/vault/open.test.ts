import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DynamoDbPpkVault } from '../../shared/vault/dynamodb-ppk.ts';
import { FileVault } from '../../shared/vault/file.ts';
import { FilePpkVault } from '../../shared/vault/file-ppk.ts';
import { openPpkVault, openVault } from '../../shared/vault/open.ts';
import { S3Vault } from '../../shared/vault/s3.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const transfers = { baseUrl: 'https://smdpf.example', transferSecret: randomBytes(32) };

describe('vault URIs', () => {
  it('choose the adapter', async () => {
    expect(await openVault(`file:${join(folder, 'vault')}`, transfers)).toBeInstanceOf(FileVault);
    expect(await openVault('s3://a-bucket')).toBeInstanceOf(S3Vault);
    expect(await openVault('s3://a-bucket?lock-days=3650')).toBeInstanceOf(S3Vault);
    expect(await openVault('s3://a-bucket?lock-days=1&region=eu-west-1')).toBeInstanceOf(S3Vault);
    expect(await openPpkVault(`file:${join(folder, 'ppk')}`)).toBeInstanceOf(FilePpkVault);
    expect(await openPpkVault('dynamodb:ppk')).toBeInstanceOf(DynamoDbPpkVault);
  });

  it('a file vault without a base URL and a secret is a configuration Fault', async () => {
    await expect(openVault(`file:${folder}`)).rejects.toMatchObject({ code: 'configuration' });
  });

  it.each([
    '',
    'file',
    'file:',
    's3:bucket',
    's3://Bucket',
    's3://b/path',
    's3://bucket?lock-days=0',
    's3://bucket?lock-days=1&region=nowhere',
    'ftp:x',
  ])('"%s" is a configuration Fault', async (uri) => {
    await expect(openVault(uri, transfers)).rejects.toMatchObject({ code: 'configuration' });
  });

  it.each(['', 'sqlite:file', 's3://bucket', 'dynamodb:'])(
    '"%s" for PPKs is a configuration Fault',
    async (uri) => {
      await expect(openPpkVault(uri)).rejects.toMatchObject({ code: 'configuration' });
    },
  );
});
