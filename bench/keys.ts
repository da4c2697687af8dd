import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { eidWithCheckDigits } from '../shared/codec/eid.ts';
import { fromSpki, SUITES } from '../shared/crypto/suite.ts';
import { keyBackends } from '../shared/keys/backends.ts';
import { Digest, type KeyAlgorithm, type KeyGenerator, type KeyProvider } from '../shared/keys/provider.ts';
import { KeyRegistry, type SigningKey } from '../shared/keys/registry.ts';
import { bindProfile } from '../shared/profile/bind.ts';
import { generatePpk } from '../shared/profile/ppk.ts';
import { protectProfile } from '../shared/profile/protect.ts';
import { encodeStoreMetadata } from '../shared/rsp/store-metadata.ts';

/**
 * Signatures per second of each key backend, and profiles of 12 kB bound per second with it (PPK mode, one thread).
 *
 *     node bench/keys.ts [--seconds 2] [--concurrency 16] [--pkcs11-module /usr/lib/softhsm/libsofthsm2.so]
 *                        [--kms-endpoint http://127.0.0.1:4566]
 *
 * softkey runs always; pkcs11 with a fresh SoftHSM2 token where a module is named; awskms where an emulator is.
 * An emulator's rate says nothing about KMS, whose limit is the account's quota.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    concurrency: { type: 'string', default: '16' },
    'pkcs11-module': { type: 'string' },
    'kms-endpoint': { type: 'string' },
  },
});
const milliseconds = Number(options.seconds) * 1000;
const concurrency = Number(options.concurrency);
const folder = mkdtempSync(join(tmpdir(), 'bench-keys-'));

interface Candidate {
  readonly algorithm: KeyAlgorithm;
  readonly uri: string;
}

function softkeys(): Candidate[] {
  return (['ecdsa-p256', 'ecdsa-brainpoolP256r1', 'ecdsa-frp256v1'] as const).map((algorithm) => ({
    algorithm,
    uri: `softkey:path=${folder}/${algorithm}.key?passphrase-source=env:BENCH_PASSPHRASE`,
  }));
}

function tokenKeys(module: string): Candidate[] {
  const configuration = join(folder, 'softhsm2.conf');
  mkdirSync(join(folder, 'tokens'));
  writeFileSync(configuration, `directories.tokendir = ${folder}/tokens\nlog.level = ERROR\n`);
  process.env.SOFTHSM2_CONF = configuration;
  const pins = ['--so-pin', '864201', '--pin', '73519'];
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'bench', ...pins], { stdio: 'pipe' });
  return (['ecdsa-p256', 'ecdsa-brainpoolP256r1'] as const).map((algorithm) => ({
    algorithm,
    uri: `pkcs11:token=bench;object=${algorithm}?module-path=${module}&pin-source=env:BENCH_PIN`,
  }));
}

function kmsKeys(endpoint: string): Candidate[] {
  process.env.AWS_ACCESS_KEY_ID = 'test';
  process.env.AWS_SECRET_ACCESS_KEY = 'test';
  const alias = `bench/${randomBytes(8).toString('hex')}`;
  return [{ algorithm: 'ecdsa-p256', uri: `awskms:alias=${alias};region=us-east-1;endpoint=${endpoint}` }];
}

async function rate(sign: () => Promise<unknown> | Uint8Array, lanes: number): Promise<number> {
  let count = 0;
  const start = performance.now();
  const end = start + milliseconds;
  const lane = async () => {
    while (performance.now() < end) {
      const signature = sign();
      if (signature instanceof Promise) await signature;
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (count * 1000) / (performance.now() - start);
}

function row(scheme: string, algorithm: string, how: string, perSecond: number): void {
  const name = `${scheme.padEnd(8)} ${algorithm.padEnd(22)} ${how.padEnd(18)}`;
  console.log(`${name} ${perSecond.toFixed(0).padStart(7)}/s`);
}

async function measure(key: SigningKey, scheme: string): Promise<void> {
  const { algorithm } = key.description;
  const message = randomBytes(200);
  const sign = () => key.sign(Digest.of(message));
  // the first signature pays for logins and just-in-time compilation
  await rate(sign, 1);
  row(scheme, algorithm, 'one by one', await rate(sign, 1));
  row(scheme, algorithm, `${concurrency} at once`, await rate(sign, concurrency));
  const { signSync } = key;
  if (signSync !== undefined) {
    row(scheme, algorithm, 'synchronously', await rate(() => signSync(Digest.of(message)), 1));
  }
}

const UPP_OCTETS = 12_000;

/** Binds as the server does, with the signatures of a key. */
async function measureBind(key: SigningKey, scheme: string): Promise<void> {
  const { algorithm } = key.description;
  const suite = SUITES.find(({ keyAlgorithm }) => keyAlgorithm === algorithm);
  if (suite === undefined) return;
  const ppk = generatePpk(randomBytes);
  const input = {
    suite,
    eid: eidWithCheckDigits('890490321234512345123456789012'),
    // any point of the curve does for a one-time key
    euiccOtpk: fromSpki(key.publicKey).point,
    metadataDer: encodeStoreMetadata({
      iccid: '8988211000000530082',
      serviceProviderName: 'Example Operator',
      profileName: 'Benchmark',
    }),
    transactionId: randomBytes(16),
    hostId: randomBytes(16),
    payload: { mode: 'ppk' as const, segments: protectProfile(randomBytes(UPP_OCTETS), ppk), ppk },
    sign: async (digest: Digest) => key.signSync?.(digest) ?? (await key.sign(digest)),
  };
  const bind = () => bindProfile(input);
  await rate(bind, 1);
  row(scheme, algorithm, 'bind', await rate(bind, 1));
  row(scheme, algorithm, `bind, ${concurrency} at once`, await rate(bind, concurrency));
}

const registry = new KeyRegistry(
  keyBackends({
    nodeEnv: process.env.NODE_ENV,
    env: { BENCH_PASSPHRASE: randomBytes(16).toString('hex'), BENCH_PIN: '73519' },
    pkcs11: { sessions: concurrency },
  }),
);
const candidates = [
  ...softkeys(),
  ...(options['pkcs11-module'] === undefined ? [] : tokenKeys(options['pkcs11-module'])),
  ...(options['kms-endpoint'] === undefined ? [] : kmsKeys(options['kms-endpoint'])),
];
console.log(`${availableParallelism()} cores, node ${process.version}`);
try {
  for (const { algorithm, uri } of candidates) {
    const provider = (await registry.provider(uri)) as KeyProvider & KeyGenerator;
    await provider.generate(uri, algorithm, 'binding');
    const key = await registry.openSigningKey(uri, 'binding');
    await measure(key, provider.scheme);
    await measureBind(key, provider.scheme);
  }
} finally {
  await registry.close();
  rmSync(folder, { recursive: true });
}
