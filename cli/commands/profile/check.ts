import type { Command } from 'commander';
import type { Finding } from '../../../shared/profile/package/checks/finding.ts';
import { RULE_GROUPS } from '../../../shared/profile/package/checks/rules.ts';
import { checkPackage, type PackageCheck } from '../../../shared/profile/package/validate.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';
import { readMetadata } from '../bind/metadata.ts';

const HELP = `
Exit code 1 where there is an error; warnings alone exit with 0. docs/profile-rules.md has all rules.

Examples:
  smdpf profile check template.der
  smdpf profile check profile.der --metadata metadata.json
  smdpf profile check --rules`;

export function registerCheck(profile: Command, io: CliIo): void {
  profile
    .command('check')
    .description(
      'tell everything that is wrong with a profile package, as far as can be seen without an eUICC',
    )
    .argument('[file]', 'profile package: DER, base64 or hexadecimal')
    .option('--metadata <file>', 'also hold it against these metadata, as smdpf bind takes them')
    .option('--rules', 'list the rules that packages are held against')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: { metadata?: string; rules?: boolean }) => {
      if (options.rules) return listRules(io);
      if (file === undefined)
        throw new UsageError('FILE is missing', 'Name a profile package, or give --rules.');
      const upp = await readDer(file, 'FILE');
      const metadata =
        options.metadata === undefined ? undefined : (await readMetadata(options.metadata, io)).metadata;
      const check = checkPackage(upp, metadata);
      const errors = check.findings.filter(({ severity }) => severity === 'error').length;
      if (errors > 0) io.exit(EXIT.refused);
      const document = { file, errors, warnings: check.findings.length - errors, ...check };
      io.answer(document, () =>
        [findingsText(check.findings), countText(check)].filter(Boolean).join('\n\n'),
      );
    });
}

/** A table of findings, and below it what to do, once for each rule. */
export function findingsText(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'nothing is wrong';
  const found = table(
    ['', 'rule', 'PE', 'id', 'offset', 'finding'],
    findings.map(({ severity, code, pe, identification, offset, message }) => [
      severity,
      code,
      pe,
      identification,
      offset,
      message,
    ]),
  );
  const waysOut = new Map(findings.map(({ code, wayOut }) => [code, wayOut]));
  const ways = table(
    ['rule', 'way out'],
    [...waysOut].map(([code, wayOut]) => [code, wayOut]),
  );
  return `${found}\n\n${ways}`;
}

function countText({ held, notApplicable }: PackageCheck): string {
  return `${held.length} rules held, ${notApplicable.length} not applicable`;
}

function listRules(io: CliIo): void {
  const rules = RULE_GROUPS.flatMap(({ name, rules: list }) =>
    list.map(({ id, clause, level, text, wayOut }) => ({ id, group: name, clause, level, text, wayOut })),
  );
  io.answer({ rules }, () =>
    table(
      ['rule', 'level', 'clause', 'what holds'],
      rules.map(({ id, level, clause, text }) => [id, level, clause, text]),
    ),
  );
}
