import type { Command } from 'commander';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';
import type { CliIo } from '../output/cli-io.ts';
import { registerCi } from './trust/ci.ts';
import type { TrustCommand } from './trust/command.ts';
import { registerCrl } from './trust/crl.ts';
import { registerDpPb } from './trust/dppb.ts';
import { registerEum } from './trust/eum.ts';
import { registerList } from './trust/list.ts';

/** `smdpf trust`: roots, EUMs, revocations and our own binding certificates. */
export function registerTrust(program: Command, io: CliIo): void {
  const trust = program.command('trust');
  const command: TrustCommand = (usage, description) =>
    trust
      .command(usage)
      .description(description)
      .option(...FOLDER_OPTION);
  for (const register of [registerList, registerCi, registerCrl, registerEum, registerDpPb])
    register(command, io);
}
