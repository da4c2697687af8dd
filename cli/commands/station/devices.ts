import type { Command } from 'commander';
import { Fault } from '../../../shared/errors.ts';
import { type OpenDevices, openSoftCards } from '../../../station/soft-cards.ts';
import { HintedError, UsageError } from '../../output/failure.ts';

export interface DeviceOptions {
  readonly cards?: string;
  readonly readers?: string | true;
}

export function withDevices(command: Command): Command {
  return command
    .option('--cards <dir>', 'soft eUICCs, a JSON file each')
    .option('--readers [text]', 'PC/SC readers, all of them or those whose name contains the text');
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/in use/, 'One station at a time has a folder: wait until the other one has ended, or stop it.'],
  [/no card|no folder/, 'Name the folder that holds the cards: smdpf sim eum personalise makes one.'],
  [/reader|pcsc/i, 'docs/station.md tells what PC/SC readers need.'],
];

/** The devices of the command line; `looking` takes nothing from another station. */
export async function openDevices({ cards, readers }: DeviceOptions, looking: boolean): Promise<OpenDevices> {
  if ((cards === undefined) === (readers === undefined))
    throw new UsageError('one of --cards and --readers is needed', 'Say where the devices are.');
  try {
    if (cards !== undefined) return openSoftCards(cards, looking);
    const { openReaders } = await import('../../../station/pcsc.ts');
    return await openReaders(readers === true ? '' : readers!);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const hint = HINTS.find(([pattern]) => pattern.test(error.message))?.[1];
    throw hint === undefined ? error : new HintedError(error, hint);
  }
}
