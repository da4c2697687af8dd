import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { certificatesOf, verifiedChain } from '../../../cli/commands/ceremony/attestation-chain.ts';
import { type Issuer, issueDevelopmentCa, issueTlsClient } from '../../../shared/pki/issue.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const DAY = 86_400_000;
const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = (key: KeyObject) => async (message: Uint8Array) =>
  sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
const input = (commonName: string, publicKey: KeyObject, days = 30) => ({
  subject: { commonName },
  spki: publicKey.export({ format: 'der', type: 'spki' }),
  serialNumber: Buffer.concat([Buffer.of(1), randomBytes(8)]),
  notBeforeMs: NOW - 60 * DAY,
  notAfterMs: NOW + days * DAY,
});

async function ca(name: string): Promise<Issuer & { readonly x509: X509Certificate }> {
  const { privateKey, publicKey } = pair();
  const certificate = await issueDevelopmentCa(input(name, publicKey), signer(privateKey));
  return { certificate, sign: signer(privateKey), x509: new X509Certificate(certificate) };
}

async function device(issuer: Issuer, days?: number): Promise<X509Certificate> {
  return new X509Certificate(await issueTlsClient(input('Device', pair().publicKey, days), issuer));
}

describe('the chain of whoever made an HSM', { tags: ['CEREMONY'] }, () => {
  it('holds from the device to the root that is trusted, whether the root is in it or not', async () => {
    const root = await ca('Maker');
    const leaf = await device(root);
    const links = verifiedChain([leaf], root.x509, NOW);
    expect(links.map(({ subject }) => subject)).toEqual(['CN=Device', 'CN=Maker']);
    expect(verifiedChain([leaf, root.x509], root.x509, NOW)).toEqual(links);
  });

  it('is refused up to another root of the same name', async () => {
    const leaf = await device(await ca('Maker'));
    const other = await ca('Maker');
    expect(() => verifiedChain([leaf], other.x509, NOW)).toThrow('CN=Device is not signed by CN=Maker');
  });

  it('is refused where a certificate is over', async () => {
    const root = await ca('Maker');
    const leaf = await device(root, -1);
    expect(() => verifiedChain([leaf], root.x509, NOW)).toThrow('CN=Device is not valid now');
  });

  it('is refused where the issuer is no CA', async () => {
    const root = await ca('Maker');
    const { privateKey, publicKey } = pair();
    const middle = await issueTlsClient(input('Device', publicKey), root);
    const leaf = await device({ certificate: middle, sign: signer(privateKey) });
    expect(() => verifiedChain([leaf, new X509Certificate(middle)], root.x509, NOW)).toThrow();
    expect(() => verifiedChain([leaf], new X509Certificate(middle), NOW)).toThrow();
  });

  it('is read from PEM, in its order, and refused where there are none', async () => {
    const root = await ca('Maker');
    const leaf = await device(root);
    const read = certificatesOf(Buffer.from(`${leaf}${root.x509}`), '--chain');
    expect(read.map(({ subject }) => subject)).toEqual(['CN=Device', 'CN=Maker']);
    expect(() => certificatesOf(Buffer.from('none'), '--chain')).toThrow('--chain has no certificates');
  });
});
