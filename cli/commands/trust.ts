import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { folderCommands } from './folder-commands.ts';
import { registerCrls } from './ops/crls.ts';
import { registerCi } from './trust/ci.ts';
import { registerCrl } from './trust/crl.ts';
import { registerDpPb } from './trust/dppb.ts';
import { registerEum } from './trust/eum.ts';
import { registerList } from './trust/list.ts';

/** `smdpf trust`: roots, EUMs, revocations and our own binding certificates. */
export function registerTrust(program: Command, io: CliIo): void {
  const trust = program.command('trust');
  const command = folderCommands(trust);
  for (const register of [registerList, registerCi, registerCrl, registerEum, registerDpPb])
    register(command, io);
  registerCrls(trust, io);
}
