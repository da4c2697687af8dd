import type { Command } from 'commander';
import type { CliIo } from '../../../output/cli-io.ts';

/** Makes a subcommand of `smdpf sim euicc` that works on the card of `--card`. */
export type CardCommand = (name: string, description: string) => Command;

export interface CardOption {
  readonly card: string;
}

export function done(io: CliIo, card: string, text: string, more: Record<string, unknown> = {}): void {
  io.answer({ card, done: text, ...more }, text);
}
