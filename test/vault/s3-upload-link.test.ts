import { expect, it } from 'vitest';
import { S3Vault } from '../../shared/vault/s3.ts';

// signing is arithmetic: no store is called
const vault = S3Vault.open('bucket', {
  config: { region: 'eu-central-1', credentials: { accessKeyId: 'SMDPFTEST', secretAccessKey: 'none' } },
});

it('an upload URL has the SHA-256 and the length among the headers that are signed, and none in the query', async () => {
  const sha256 = 'ab'.repeat(32);
  const upload = await vault.uploadLink('upload', { size: 1234, sha256 }, 60);
  const url = new URL(upload.url);
  const checksum = Buffer.from(sha256, 'hex').toString('base64');
  expect(upload.headers).toEqual({
    'x-amz-checksum-sha256': checksum,
    'x-amz-sdk-checksum-algorithm': 'SHA256',
  });
  expect([...url.searchParams.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
  expect(url.searchParams.get('X-Amz-SignedHeaders')!.split(';').sort()).toEqual([
    'content-length',
    'host',
    'x-amz-checksum-sha256',
    'x-amz-sdk-checksum-algorithm',
  ]);
  expect(url.searchParams.get('X-Amz-Expires')).toBe('60');
  expect([...url.searchParams.keys()].filter((name) => name.includes('crc'))).toEqual([]);
});
