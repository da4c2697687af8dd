import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { eidWithCheckDigits } from '../shared/codec/eid.ts';
import { fromSpki } from '../shared/crypto/ec-key-forms.ts';
import { suiteByName } from '../shared/crypto/suite.ts';
import { keyBackends } from '../shared/keys/backends.ts';
import { curveOfKey } from '../shared/keys/key-curve.ts';
import { Digest, type KeyAlgorithm } from '../shared/keys/provider.ts';
import { KeyRegistry, type SigningKey } from '../shared/keys/registry.ts';
import { parseKeyUri } from '../shared/keys/uri.ts';
import { bindProfile } from '../shared/profile/bind.ts';
import { generatePpk } from '../shared/profile/ppk.ts';
import { protectProfile } from '../shared/profile/protect.ts';
import { encodeStoreMetadata } from '../shared/rsp/store-metadata.ts';

/**
 * Signatures per second of each key backend, and profiles of 12 kB bound per second with it (PPK mode, one thread),
 * beside each other in one run.
 *
 *     npm run bench:keys -- [--seconds 2] [--concurrency 16] [--pkcs11-module LIB.so] [--kms-endpoint URL]
 *
 * softkey runs always; pkcs11 in a fresh SoftHSM2 token where the module and the addon are there; awskms where
 * `--kms-endpoint` or SMDPF_TEST_KMS_ENDPOINT names an emulator, whose rate says nothing about KMS: there the limit is
 * the account's quota.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    concurrency: { type: 'string', default: '16' },
    'pkcs11-module': { type: 'string', default: '/usr/lib/softhsm/libsofthsm2.so' },
    'kms-endpoint': { type: 'string', default: process.env.SMDPF_TEST_KMS_ENDPOINT ?? '' },
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

function whyNoToken(): string | undefined {
  const module = options['pkcs11-module'];
  if (!existsSync(module)) return `there is no ${module}`;
  try {
    createRequire(import.meta.url)('pkcs11js');
    return undefined;
  } catch {
    return 'the addon of pkcs11js is not built (docs/keys.md)';
  }
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

/** Per second; undefined where a backend cannot do it. */
interface Rates {
  readonly signOne: number;
  readonly signMany: number;
  readonly signSync: number | undefined;
  readonly bindOne: number;
  readonly bindMany: number;
}

const HEADINGS = ['sign', `sign ×${concurrency}`, 'sign, sync', 'bind', `bind ×${concurrency}`];

function row(scheme: string, algorithm: string, cells: readonly string[]): void {
  const name = `${scheme.padEnd(8)} ${algorithm.padEnd(22)}`;
  console.log(`${name} ${cells.map((cell) => cell.padStart(12)).join('')}`);
}

function rowOf(scheme: string, algorithm: string, rates: Rates): void {
  const { signOne, signMany, signSync, bindOne, bindMany } = rates;
  const cells = [signOne, signMany, signSync, bindOne, bindMany];
  row(
    scheme,
    algorithm,
    cells.map((perSecond) => (perSecond === undefined ? '–' : `${perSecond.toFixed(0)}/s`)),
  );
}

async function measure(key: SigningKey): Promise<Rates> {
  const message = randomBytes(200);
  const sign = () => key.sign(Digest.of(message));
  const { signSync } = key;
  const bind = binder(key);
  // the first of each pays for logins and just-in-time compilation
  await rate(sign, 1);
  const signOne = await rate(sign, 1);
  const signMany = await rate(sign, concurrency);
  const sync = signSync && (await rate(() => signSync(Digest.of(message)), 1));
  await rate(bind, 1);
  return {
    signOne,
    signMany,
    signSync: sync,
    bindOne: await rate(bind, 1),
    bindMany: await rate(bind, concurrency),
  };
}

const UPP_OCTETS = 12_000;

/** Binds as the server does, with the signatures of a key. */
function binder(key: SigningKey): () => Promise<unknown> {
  const suite = suiteByName(curveOfKey(key.description.algorithm).name);
  const ppk = generatePpk(randomBytes);
  // any point of the curve does for a one-time key
  const { point } = fromSpki(key.publicKey);
  const input = {
    eid: eidWithCheckDigits('890490321234512345123456789012'),
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
  return () => bindProfile({ ...input, euiccOtpk: suite.oneTimeKey(point) });
}

const registry = new KeyRegistry(
  keyBackends({
    nodeEnv: process.env.NODE_ENV,
    env: { BENCH_PASSPHRASE: randomBytes(16).toString('hex'), BENCH_PIN: '73519' },
    pkcs11: { sessions: concurrency },
  }),
);
const tokenProblem = whyNoToken();
const endpoint = options['kms-endpoint'];
const candidates = [
  ...softkeys(),
  ...(tokenProblem === undefined ? tokenKeys(options['pkcs11-module']) : []),
  ...(endpoint === '' ? [] : kmsKeys(endpoint)),
];
console.log(`${availableParallelism()} cores, node ${process.version}`);
if (tokenProblem !== undefined) console.log(`without pkcs11: ${tokenProblem}`);
if (endpoint === '') console.log('without awskms: SMDPF_TEST_KMS_ENDPOINT names no emulator');
try {
  row('backend', 'algorithm', HEADINGS);
  for (const { algorithm, uri } of candidates) {
    await registry.generate(uri, algorithm, 'binding');
    const key = await registry.openSigningKey(uri, 'binding');
    rowOf(parseKeyUri(uri).scheme, algorithm, await measure(key));
  }
} finally {
  await registry.close();
  rmSync(folder, { recursive: true });
}
