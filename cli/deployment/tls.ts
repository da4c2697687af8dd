import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { issueDevelopmentCa, issueTlsClient, issueTlsServer, type Sign } from '../../shared/pki/issue.ts';

/** PEM of a certificate and its private key. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const LEAF_DAYS = 397;
const CA_DAYS = 3_650;

/**
 * The development PKI of an embedded server: a CA of its own, the server's certificate, and client certificates for
 * parties. Made on first use, kept as PEM files that only the owner may read. A real deployment brings certificates of
 * its own.
 */
export class DevelopmentPki {
  readonly #folder: string;
  readonly #ca: TlsPair;

  private constructor(folder: string, ca: TlsPair) {
    this.#folder = folder;
    this.#ca = ca;
  }

  static async open(folder: string): Promise<DevelopmentPki> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const ca = await kept(folder, 'ca', async (key) => {
      const input = { subject: { commonName: 'smdpf development CA' }, spki: key.spki, ...validity(CA_DAYS) };
      return { cert: pemOf(await issueDevelopmentCa(input, signer(key.privateKey))), key: key.pem };
    });
    return new DevelopmentPki(folder, ca);
  }

  /** PEM; what clients check the server with. */
  get caCertificate(): string {
    return this.#ca.cert;
  }

  server(hosts: readonly string[]): Promise<TlsPair> {
    return kept(this.#folder, 'server', async (key) => {
      const certificate = await issueTlsServer(
        {
          subject: { commonName: hosts[0] ?? 'localhost' },
          spki: key.spki,
          ...validity(LEAF_DAYS),
          dnsNames: hosts.filter((host) => !isIPv4(host)),
          ipAddresses: hosts.filter(isIPv4).map((host) => Buffer.from(host.split('.').map(Number))),
        },
        this.#issuer(),
      );
      return { cert: pemOf(certificate), key: key.pem };
    });
  }

  /** Whether `client` has made this one before: it is as it was then. */
  hasClient(name: string): boolean {
    return existsSync(join(this.#folder, `client-${name}.cert.pem`));
  }

  client(name: string): Promise<TlsPair> {
    return kept(this.#folder, `client-${name}`, async (key) => {
      const input = { subject: { commonName: name }, spki: key.spki, ...validity(LEAF_DAYS) };
      return { cert: pemOf(await issueTlsClient(input, this.#issuer())), key: key.pem };
    });
  }

  /** A client certificate for a key that stays where it is: DER. */
  async issueClient(commonName: string, spki: Uint8Array): Promise<Uint8Array> {
    return await issueTlsClient({ subject: { commonName }, spki, ...validity(LEAF_DAYS) }, this.#issuer());
  }

  #issuer() {
    return {
      certificate: new X509Certificate(this.#ca.cert).raw,
      sign: signer(createPrivateKey(this.#ca.key)),
    };
  }
}

/** Milliseconds since 1970 of the last second in which a certificate in PEM or DER is valid. */
export const notAfterOf = (certificate: string | Uint8Array): number =>
  Date.parse(new X509Certificate(certificate).validTo);

/** Lower-case hexadecimal SHA-256 of a certificate in PEM or DER: the name of a party's certificate. */
export function fingerprintOf(certificate: string | Uint8Array): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
}

/** PEM: the certificate of the server that works in a folder, where it has made one. */
export function serverCertificateIn(folder: string): string | undefined {
  const file = join(folder, 'server.cert.pem');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Makes what is missing of a pair, and replaces none of its files: a key without a certificate gets one. */
async function kept(
  folder: string,
  name: string,
  make: (key: MadeKey) => Promise<TlsPair>,
): Promise<TlsPair> {
  const [certFile, keyFile] = [join(folder, `${name}.cert.pem`), join(folder, `${name}.key.pem`)];
  if (!existsSync(certFile)) {
    const key = existsSync(keyFile) ? formsOf(createPrivateKey(readFileSync(keyFile))) : newKey();
    const made = await make(key);
    if (!existsSync(keyFile)) writeFileSync(keyFile, made.key, { mode: 0o600, flag: 'wx' });
    writeFileSync(certFile, made.cert, { mode: 0o600, flag: 'wx' });
  }
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

interface MadeKey {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
  readonly pem: string;
}

const newKey = (): MadeKey => formsOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);

function formsOf(privateKey: KeyObject): MadeKey {
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey, spki, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

const signer =
  (key: KeyObject): Sign =>
  async (message) =>
    sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });

function validity(days: number) {
  const now = Date.now();
  return { serialNumber: randomBytes(16), notBeforeMs: now - DAY_MS, notAfterMs: now + days * DAY_MS };
}

/** A certificate in DER as PEM. */
export const pemOf = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
