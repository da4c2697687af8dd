import { type Command, Option } from 'commander';
import { CURVES } from '../../sim/index.ts';
import { collect } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { type AttestOptions, attestKey } from './ceremony/attest.ts';
import { type CeremonyOptions, holdCeremony } from './ceremony/hold.ts';
import { verifyCeremony } from './ceremony/verify.ts';

const HELP = `
The steps, each told as it is done and written into the report: who is there; the backend and what it says of itself; the key is
made; what the backend says of it (can it leave, what may it do); for a binding key the certification request; a signature
by the new key over the steps, which shows that it works. The report is signed by the delivery key, and its hash stands in
the audit log. The key waits to be taken into use: smdpf keys install, or keys rotate --key URI.

Example:
  smdpf ceremony hold --role binding --key 'pkcs11:token=smdpf;object=dppb-2' --witness "Anna A." --witness "Ben B." \\
    --organization Example --name SM-DPf --smdp-oid 2.999.10 --out dppb-2.csr --report ceremony.json
  smdpf ceremony verify ceremony.json --keys server-keys.json`;

/** `smdpf ceremony`: a key is made before witnesses. */
export function registerCeremony(program: Command, io: CliIo): void {
  const group = program
    .command('ceremony')
    .description('make a key before witnesses, with a signed report')
    .addHelpText('after', HELP);
  group
    .command('hold')
    .description('walk the steps, make the key, and write the signed report')
    .option('--folder <folder>', 'the deployment', 'smdpf-data')
    .addOption(
      new Option('--role <role>', 'what the key is for')
        .choices(['binding', 'delivery', 'wrapping', 'intake', 'longTerm'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--curve <curve>', 'of a binding key').choices(Object.keys(CURVES)).default('p256'))
    .requiredOption('--key <uri>', 'where the key is made: pkcs11:…, awskms:…, softkey:…')
    .requiredOption('--witness <name>', 'who watches; twice at least', collect)
    .requiredOption('--report <file>', 'where the signed report goes')
    .option('--organization <name>', "of a binding key: organizationName of the certificate's subject")
    .option('--name <name>', 'commonName')
    .option('--smdp-oid <oid>', 'OID of this SM-DPf')
    .addOption(new Option('--policy <version>', 'OIDs of SGP.22').choices(['v2', 'v3']).default('v2'))
    .option('--out <file>', 'where the certification request of a binding key goes')
    .action((options: CeremonyOptions) => holdCeremony(options, io));
  group
    .command('attest <report>')
    .description("put what the HSM's maker says of the key beside the report of its ceremony, signed")
    .option('--folder <folder>', 'the deployment', 'smdpf-data')
    .requiredOption('--attestation <file>', "the maker's statement, as its tool wrote it")
    .option(
      '--chain <file>',
      "certificates of the statement's signer, PEM, the one of the key or device first",
    )
    .option('--root <file>', "the maker's root, from another channel than the chain")
    .requiredOption('--out <file>', 'where the signed document goes')
    .action((report: string, options: AttestOptions) => attestKey(report, options, io));
  group
    .command('verify <report>')
    .description('verify the report of a ceremony, or of an attestation, with no server and no network')
    .requiredOption('--keys <file>', 'delivery keys of the server: the answer of getServerKeys, a JWK or PEM')
    .action((report: string, { keys }: { keys: string }) => verifyCeremony(report, keys, io));
}
