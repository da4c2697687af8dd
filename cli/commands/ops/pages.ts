import type { Command } from 'commander';
import { present } from '../../../shared/present.ts';
import type { PageRequest } from '../../../shared/service/api/ops.ts';
import { wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { type LookOptions, withLookOptions } from './looking.ts';

/** Options of a command that shows a list page by page. */
export interface ListOptions extends LookOptions {
  readonly limit?: number;
  readonly cursor?: string;
}

export const pageOf = ({ limit, cursor }: ListOptions): PageRequest => present({ limit, cursor });

export const withPageOptions = (command: Command): Command =>
  command
    .option('--limit <n>', 'entries of a page, 1 to 1000; 100 unless given', wholeOption(1, 1_000))
    .option('--cursor <text>', 'the page after one that --json has shown, with the same options');

export const listCommand = (command: Command, io: CliIo): Command =>
  withLookOptions(withPageOptions(command), io);
