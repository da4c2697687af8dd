import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { canonicalSpki } from '../../../shared/crypto/ec-key-forms.ts';
import { present } from '../../../shared/present.ts';
import {
  CURVES,
  type CurveName,
  encodePrivateKeyPem,
  generateKey,
  type PublicKeySource,
  SimCi,
} from '../../../sim/index.ts';
import { readDer, requireFresh, writeOutput } from '../../input/files.ts';
import { collect, wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import { CERT_CI, openCi } from './folders.ts';

interface CreateOptions {
  readonly out: string;
  readonly curve: CurveName;
  readonly name?: string;
}

interface IssueDpPbOptions {
  readonly ci: string;
  readonly csr?: string;
  readonly spki?: string;
  readonly generate?: string;
  readonly oid: string;
  readonly days?: number;
  readonly out: string;
}

interface CrlOptions {
  readonly ci: string;
  readonly revoke?: readonly string[];
  readonly number: number;
  readonly out: string;
}

export function registerSimCi(sim: Command, io: CliIo): void {
  const ci = sim.command('ci').description('a certificate issuer (eSIM CA) in a folder');

  ci.command('create')
    .description('make a CI: CERT_CI.der and SK_CI.pem')
    .requiredOption('--out <dir>', 'folder of the CI')
    .addOption(
      new Option('--curve <name>', 'curve of all keys below it').choices(Object.keys(CURVES)).default('p256'),
    )
    .option('--name <text>', 'commonName of its certificate')
    .action((options: CreateOptions) => create(options, io));

  ci.command('issue-dppb')
    .description('issue CERT.DPpb for a key that stays with its owner, or for a new one')
    .requiredOption('--ci <dir>', 'folder of the CI')
    .option('--csr <file>', 'certification request (PKCS#10) of the key')
    .option('--spki <file>', 'public key of the key (SubjectPublicKeyInfo)')
    .option('--generate <file>', 'make a key and write it there, PEM, in clear')
    .option('--oid <oid>', 'OID of the SM-DPf, the registeredID of the certificate', '2.999.10')
    .option('--days <number>', 'validity (default: ten years)', wholeOption(1, 36_500))
    .requiredOption('--out <file>', 'where the certificate goes, DER')
    .action((options: IssueDpPbOptions) => issueDpPb(options, io));

  ci.command('crl')
    .description('issue a certificate revocation list')
    .requiredOption('--ci <dir>', 'folder of the CI')
    .option('--revoke <serial>', 'serial number in hexadecimal; may be given several times', collect)
    .option('--number <n>', 'cRLNumber', wholeOption(1, 2 ** 40), 1)
    .requiredOption('--out <file>', 'where the list goes, DER')
    .action((options: CrlOptions) => crl(options, io));
}

async function create(options: CreateOptions, io: CliIo): Promise<void> {
  const ci = SimCi.create({
    curve: options.curve,
    ...present({ cn: options.name }),
  });
  await requireFresh(join(options.out, 'SK_CI.pem'), '--out');
  // the certificate first: where there is one already, nothing is replaced
  await writeOutput(join(options.out, CERT_CI), ci.certificate, '--out', { fresh: true });
  ci.save(options.out);
  const document = { folder: options.out, curve: ci.curve, ciPkId: Buffer.from(ci.keyId).toString('hex') };
  io.answer(document, () => fields(Object.entries(document)));
}

async function issueDpPb(options: IssueDpPbOptions, io: CliIo): Promise<void> {
  const ci = openCi(options.ci);
  if (options.generate !== undefined) await requireFresh(options.out, '--out');
  const certificate = ci.issueDpPb(await keySource(options, ci.curve), {
    oid: options.oid,
    ...(options.days !== undefined && {
      notAfter: new Date(io.now().getTime() + options.days * 24 * 3600 * 1000),
    }),
  });
  await writeOutput(options.out, certificate, '--out');
  const document = { certificate: options.out, oid: options.oid, key: options.generate };
  io.answer(document, () => fields(Object.entries(document)));
}

async function keySource(options: IssueDpPbOptions, curve: CurveName): Promise<PublicKeySource> {
  const { csr, spki, generate } = options;
  if ([csr, spki, generate].filter((given) => given !== undefined).length !== 1)
    throw new UsageError(
      'one of --csr, --spki and --generate is needed',
      'smdpf keys csr makes a request for a key of the server; --generate makes a new key.',
    );
  if (csr !== undefined) return { csr: await readDer(csr, '--csr', 'certificationRequest') };
  if (spki !== undefined) return { spki: canonicalSpki(await readDer(spki, '--spki', 'publicKey')) };
  const key = generateKey(curve);
  await writeOutput(generate!, encodePrivateKeyPem(key), '--generate', { mode: 0o600, fresh: true });
  return key;
}

async function crl(options: CrlOptions, io: CliIo): Promise<void> {
  const revoked = options.revoke ?? [];
  if (revoked.some((serial) => !/^(?:[0-9a-f]{2}){1,20}$/i.test(serial)))
    throw new UsageError('--revoke is not a serial number', 'smdpf inspect shows it in hexadecimal.');
  const list = openCi(options.ci).issueCrl({
    revoked: revoked.map((serial) => serial.toLowerCase()),
    number: options.number,
    thisUpdate: io.now(),
  });
  await writeOutput(options.out, list, '--out');
  const document = { crl: options.out, number: options.number, revoked: revoked.length };
  io.answer(document, () => fields(Object.entries(document)));
}
