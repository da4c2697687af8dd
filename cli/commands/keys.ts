import { type Command, Option } from 'commander';
import { CURVES } from '../../sim/index.ts';
import { collect } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import type { Folder } from './folder-commands.ts';
import type { NewKeyArguments, RequestArguments } from './keys/arguments.ts';
import { healthOfKeys, listKeys } from './keys/list.ts';
import { generateKey, requestCertificate } from './keys/make.ts';
import { installCertificate, retireKey, rotateKey } from './keys/rotate.ts';

const HELP = `
Keys are named by URIs: softkey:path=FILE, pkcs11:token=…;object=…?module-path=…&pin-source=file:…, awskms:alias=….
A pkcs11 URI that names a token and no object gets an object of its own. PINs never stand in a URI.

A binding key in five steps:
  smdpf keys rotate --role binding --organization Example --name "SM-DPf" --smdp-oid 1.3.6.1.4.1.99.1 --out dppb.csr
  (the CI signs dppb.csr)
  smdpf keys install --key URI --certificate CERT_DPpb.pem
  smdpf keys list
  smdpf keys retire --certificate SHA256 (of the old one, when no order needs it any more)`;

export function registerKeys(program: Command, io: CliIo): void {
  const keys = program.command('keys').addHelpText('after', HELP);
  const sub: KeysCommand = (name, description) =>
    keys.command(name).description(description).option('--folder <folder>', 'the deployment', 'smdpf-data');
  registerMaking(sub, io);
  registerKeeping(sub, io);
}

type KeysCommand = (name: string, description: string) => Command;

const WHERE = ['--key <uri>', 'the key; default: a new softkey in the deployment'] as const;

const curve = () =>
  new Option('--curve <curve>', 'of a binding key').choices(Object.keys(CURVES)).default('p256');

const role = () =>
  new Option('--role <role>', 'what the key is for')
    .choices(['binding', 'delivery', 'wrapping', 'intake', 'longTerm'])
    .makeOptionMandatory();

const withRequest = (command: Command) =>
  command
    .option('--organization <name>', "organizationName of the certificate's subject")
    .option('--name <name>', 'commonName')
    .option('--smdp-oid <oid>', 'OID of this SM-DPf as registered with the GSMA')
    .addOption(
      new Option('--policy <version>', 'OIDs of SGP.22 v2 (Variant O) or v3')
        .choices(['v2', 'v3'])
        .default('v2'),
    )
    .option('--out <file>', 'where the certification request goes, in PEM');

/** New keys, and certificates for them. */
function registerMaking(sub: KeysCommand, io: CliIo): void {
  sub('generate', 'make a key in its backend; an existing one is never replaced')
    .addOption(role())
    .addOption(curve())
    .option(...WHERE)
    .action((options: NewKeyArguments) => generateKey(options, io));
  withRequest(sub('csr', 'a certification request (PKCS#10) for CERT.DPpb, signed by the key in its backend'))
    .requiredOption('--key <uri>', 'the binding key')
    .action((options: RequestArguments & { key: string }) => requestCertificate(options, io));
  sub('install', 'take a certificate of a binding key into use, beside those that are in use')
    .requiredOption('--key <uri>', 'the binding key')
    .requiredOption(
      '--certificate <file>',
      'CERT.DPpb first, then SubCAs; PEM or DER, may be repeated',
      collect,
    )
    .action((options: Folder & { key: string; certificate: string[] }) => installCertificate(options, io));
  withRequest(
    sub('rotate', 'a new key in place of the one in use; for binding with a request for its certificate'),
  )
    .addOption(role())
    .addOption(curve())
    .option(...WHERE)
    .option('--no-rewrap', 'of a wrapping key: leave it to the servers to move data keys under it')
    .action((options: NewKeyArguments & RequestArguments) => rotateKey(options, io));
}

/** What is in use, until it is retired. */
function registerKeeping(sub: KeysCommand, io: CliIo): void {
  sub(
    'list',
    'all keys and certificates, those that wait for one too, their state, and what ends soon',
  ).action((options: Folder) => listKeys(options, io));
  sub(
    'retire',
    'stop the use of a certificate, of a key that waits, or of a former wrapping, intake, delivery or longTerm key; of the last two, what they signed counts no more',
  )
    .option('--certificate <sha256>', 'of a binding certificate, as `smdpf keys list` shows it')
    .option(
      '--key <uri>',
      'a former wrapping, intake, delivery or longTerm key, or one that waits and will not be used',
    )
    .option('--last', 'also the only certificate under its CI: nothing can be bound for that CI then')
    .action((options: Folder & { certificate?: string; key?: string; last?: boolean }) =>
      retireKey(options, io),
    );
  sub('health', 'ask every backend for every key in use; exit code 1 if one cannot be used').action(
    (options: Folder) => healthOfKeys(options, io),
  );
}
