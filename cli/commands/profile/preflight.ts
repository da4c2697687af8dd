import type { Command } from 'commander';
import {
  type EuiccQuirk,
  PACKAGE_TRAITS,
  type PreflightFinding,
  preflight,
  preparePreflight,
} from '../../../shared/profile/package/preflight.ts';
import { KNOWN_QUIRKS, quirksOf } from '../../../shared/profile/package/quirks.ts';
import { decodeEuiccInfo2 } from '../../../shared/rsp/euicc-info2.ts';
import { parseJson, readDer, readOctets } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';

const HELP = `
Told from EuiccInfo2 alone: version, services, memory, and known quirks of eUICCs. A quirk file is
{"quirks":[{"id","euicc":{…},"package","says","wayOut"}]}; members of euicc (profileVersion, euiccFirmwareVer,
sasAcreditationNumber, platformLabel) are beginnings of what EuiccInfo2 says, and package is one of
${PACKAGE_TRAITS.join(', ')}.
Exit code 1 where it would not install on one of them.`;

interface PreflightOptions {
  readonly template: string;
  readonly euiccInfo2: readonly string[];
  readonly quirks?: string;
}

export function registerPreflight(profile: Command, io: CliIo): void {
  profile
    .command('preflight')
    .description('would a template install on these eUICCs, as far as their EuiccInfo2 tell')
    .requiredOption('--template <file>', 'profile package: DER, base64 or hexadecimal')
    .requiredOption('--euicc-info2 <file...>', 'EuiccInfo2 (BF22) of each eUICC')
    .option('--quirks <file>', 'more quirks of eUICCs, JSON')
    .addHelpText('after', HELP)
    .action((options: PreflightOptions) => run(options, io));
}

interface EuiccVerdict {
  readonly file: string;
  readonly installs: boolean;
  readonly findings: readonly PreflightFinding[];
}

async function run({ template, euiccInfo2, quirks: more }: PreflightOptions, io: CliIo): Promise<void> {
  const prepared = preparePreflight(await readDer(template, '--template'));
  const given = more === undefined ? [] : await readQuirks(more);
  const euiccs: EuiccVerdict[] = [];
  for (const file of euiccInfo2) {
    const info = decodeEuiccInfo2(await readDer(file, '--euicc-info2'));
    const findings = preflight(prepared, info, [...KNOWN_QUIRKS, ...given]);
    euiccs.push({ file, installs: !findings.some(({ severity }) => severity === 'error'), findings });
  }
  if (euiccs.some(({ installs }) => !installs)) io.exit(EXIT.refused);
  const version = `${prepared.majorVersion}.${prepared.minorVersion}`;
  io.answer({ template, version, memory: prepared.memory, services: prepared.services, euiccs }, () =>
    [
      fields([
        ['version', version],
        ['memory', `${prepared.memory} octets at least`],
        ['services', prepared.services.join(', ')],
      ]),
      table(
        ['eUICC', 'installs', '', 'what', 'why'],
        euiccs.flatMap(({ file, installs, findings }) =>
          findings.length === 0
            ? [[file, 'yes', '', '', '']]
            : findings.map(({ severity, code, message }) => [
                file,
                installs ? 'yes' : 'no',
                severity,
                code,
                message,
              ]),
        ),
      ),
    ].join('\n\n'),
  );
}

async function readQuirks(path: string): Promise<readonly EuiccQuirk[]> {
  return quirksOf(parseJson(await readOctets(path, '--quirks'), path, '--quirks'), (what) => {
    throw new UsageError(`${path}: ${what}`, 'smdpf profile preflight --help tells the form.');
  });
}
