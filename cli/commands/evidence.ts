import type { Command } from 'commander';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';
import type { CliIo } from '../output/cli-io.ts';
import { tellRetention, tellSoftware } from './evidence/facts.ts';
import { makePack, verifyPack } from './evidence/pack.ts';

const HELP = `
A pack is a folder: a file for each topic of an audit, with the configuration as it is on this deployment, extracts of the audit log
and the results of the tests, and manifest.jws, a compact JWS (ES256) by the delivery key over the SHA-256 of each file. It holds no
key, no profile and no secret, but identifiers of parties and eUICCs.

  npm run evidence
  smdpf evidence pack --out pack --results evidence/out/report.json
  smdpf evidence verify pack --keys server-keys.json`;

/** `smdpf evidence`: what an auditor takes along. */
export function registerEvidence(program: Command, io: CliIo): void {
  const group = program
    .command('evidence')
    .description('a signed pack for an audit, ordered by its topics')
    .addHelpText('after', HELP);
  group
    .command('pack')
    .description('write the pack of this deployment')
    .option(...FOLDER_OPTION)
    .requiredOption('--out <folder>', 'where the pack goes: a folder that is new or empty')
    .option('--results <file>', 'evidence/out/report.json of the release')
    .action((options: { folder: string; out: string; results?: string }) => makePack(options, io));
  group
    .command('verify <pack>')
    .description('verify a pack, with no server and no network')
    .requiredOption('--keys <file>', 'delivery keys of the server: the answer of getServerKeys, a JWK or PEM')
    .action((pack: string, { keys }: { keys: string }) => verifyPack(pack, keys, io));
  group
    .command('retention')
    .description('what is stored, how long it lives, and what ends it')
    .action(() => tellRetention(io));
  group
    .command('software')
    .description('what runs here: version, SHA-256 of the program, runtime, packages')
    .action(() => tellSoftware(io));
}
