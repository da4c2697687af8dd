import type { Command } from 'commander';
import { PE_STATUS } from '../../../shared/rsp/euicc-response.ts';
import { ERROR_REASONS } from '../../../shared/rsp/installation-error.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';
import dictionary from './data/installation-errors.json' with { type: 'json' };

export interface InstallationErrorEntry {
  readonly kind: 'errorReason' | 'peStatus';
  readonly number: number;
  readonly name: string;
  readonly meaning: string;
  readonly wayOut: string;
}

/** Every error reason of a ProfileInstallationResult and every PE status, with what they usually mean. */
export function installationErrors(): readonly InstallationErrorEntry[] {
  const entries = (kind: InstallationErrorEntry['kind'], part: string, names: ReadonlyMap<number, string>) =>
    [...names].map(([number, name]) => {
      const [meaning, wayOut] = textsAt(dictionary, part, name);
      return { kind, number, name, meaning, wayOut };
    });
  return [
    ...entries('errorReason', 'errorReasons', ERROR_REASONS),
    ...entries('peStatus', 'peStatus', PE_STATUS),
  ];
}

function textsAt(document: unknown, part: string, name: string): readonly [string, string] {
  const list = own(own(document, part), name);
  if (!Array.isArray(list) || list.length !== 2) return ['', ''];
  return [String(list[0]), String(list[1])];
}

const own = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;

export function registerErrors(profile: Command, io: CliIo): void {
  profile
    .command('errors')
    .description('what the errors of a profile installation usually mean, and what to do')
    .argument('[error]', 'name or number; all where it is left out')
    .action((asked: string | undefined) => {
      const errors = installationErrors().filter(
        ({ name, number }) => asked === undefined || name === asked || String(number) === asked,
      );
      if (errors.length === 0)
        throw new UsageError(`${asked} is no error of an installation`, 'Leave it out to see all.');
      io.answer({ errors }, () =>
        table(
          ['kind', 'no.', 'name', 'usually means', 'way out'],
          errors.map(({ kind, number, name, meaning, wayOut }) => [kind, number, name, meaning, wayOut]),
        ),
      );
    });
}
