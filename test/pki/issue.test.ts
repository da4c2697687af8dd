import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { KEY_CERT_SIGN } from '../../shared/pki/extensions/key-usage.ts';
import { issueDevelopmentCa, issueTlsClient, issueTlsServer } from '../../shared/pki/issue.ts';
import { generateKey, type SigningKey } from './builder.ts';

const now = Date.now();
const common = (key: SigningKey, commonName: string) => ({
  subject: { commonName, organizationName: 'Test' },
  spki: key.spki,
  serialNumber: randomBytes(16),
  notBeforeMs: now - 60_000,
  notAfterMs: now + 3_600_000,
});
const signer = (key: SigningKey) => (message: Uint8Array) => Promise.resolve(key.sign(message));
const pem = (der: Uint8Array): string => new X509Certificate(der).toString();
const keyPem = (key: SigningKey): string =>
  key.privateKey!.export({ format: 'pem', type: 'pkcs8' }).toString();

async function issueAll() {
  const [caKey, serverKey, clientKey] = [generateKey('p256'), generateKey('p256'), generateKey('p256')];
  const ca = await issueDevelopmentCa(common(caKey, 'Development CA'), signer(caKey));
  const issuer = { certificate: ca, sign: signer(caKey) };
  const server = await issueTlsServer(
    { ...common(serverKey, 'localhost'), dnsNames: ['localhost'], ipAddresses: [Buffer.of(127, 0, 0, 1)] },
    issuer,
  );
  const client = await issueTlsClient(common(clientKey, 'Factory 1'), issuer);
  return { ca, server, client, serverKey, clientKey };
}

test('a certificate that is issued passes our own strict decoder and OpenSSL', async () => {
  const { ca, server, client } = await issueAll();
  const decoded = decodeCertificate(ca);
  expect(decoded.isSignedBy(decoded.publicKey)).toBe(true);
  expect(decoded.extensions.basicConstraints).toEqual({ cA: true, pathLenConstraint: 0 });
  expect(decoded.extensions.keyUsage! & KEY_CERT_SIGN).not.toBe(0);
  for (const der of [server, client]) {
    const leaf = decodeCertificate(der);
    expect(leaf.isSignedBy(decoded.publicKey)).toBe(true);
    expect(leaf.extensions.authorityKeyIdentifier).toEqual(decoded.extensions.subjectKeyIdentifier);
    expect(new X509Certificate(der).checkIssued(new X509Certificate(ca))).toBe(true);
  }
  expect(decodeCertificate(server).extensions.subjectAltName?.dnsNames).toEqual(['localhost']);
});

test('certificates past 2049 are written in GeneralizedTime', async () => {
  const key = generateKey('p256');
  const input = { ...common(key, 'Long'), notAfterMs: Date.UTC(2060, 0, 1) };
  const der = await issueDevelopmentCa(input, signer(key));
  expect(decodeCertificate(der).notAfterMs).toBe(Date.UTC(2060, 0, 1));
  expect(new X509Certificate(der).validToDate).toEqual(new Date(Date.UTC(2060, 0, 1)));
});

test('mutual TLS holds between the issued server and client', async () => {
  const { ca, server, client, serverKey, clientKey } = await issueAll();
  const listener = createServer({
    key: keyPem(serverKey),
    cert: pem(server),
    ca: pem(ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const { port } = listener.address() as { port: number };
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    key: keyPem(clientKey),
    cert: pem(client),
    ca: pem(ca),
  });
  await once(socket, 'secureConnect');
  const [peer] = await accepted;
  expect(socket.authorized).toBe(true);
  expect(peer.authorized).toBe(true);
  expect(peer.getPeerX509Certificate()!.raw).toEqual(Buffer.from(client));
  socket.destroy();
  peer.destroy();
  listener.close();
});
