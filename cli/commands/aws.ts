import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { registerDoctor } from './aws/doctor.ts';
import { registerSmoke } from './aws/smoke.ts';

/** `smdpf aws`: looks after a stack on AWS. */
export function registerAws(program: Command, io: CliIo): void {
  const group = program.command('aws');
  registerDoctor(group, io);
  registerSmoke(group, io);
}
