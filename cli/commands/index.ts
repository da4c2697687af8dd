import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { registerBind } from './bind.ts';
import { registerDemo } from './demo.ts';
import { registerInspect } from './inspect.ts';
import { registerServe } from './serve.ts';
import { registerSim } from './sim.ts';
import { registerVerifyPir } from './verify-pir.ts';

/**
 * Each command's file registers it, with `program.command(…)`; the order of the list is that of `smdpf --help`.
 * Actions may be async and throw: `run` turns what they throw into the answer and the exit code.
 */
export type Register = (program: Command, io: CliIo) => void;

export const COMMANDS: readonly Register[] = [
  registerDemo,
  registerServe,
  registerBind,
  registerInspect,
  registerVerifyPir,
  registerSim,
];
