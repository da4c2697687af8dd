import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { registerConformEuicc } from './conform/euicc.ts';
import { registerConformEum } from './conform/eum.ts';
import { registerConformMaker } from './conform/maker.ts';
import { registerConformOperator } from './conform/operator.ts';
import { registerConformServer } from './conform/server.ts';

const HELP = `
Each check has a stable identifier, and names the document and the section that it follows. Exit code 0 where none
failed, 1 otherwise; what was skipped says why. --junit writes the same for a CI server.

It is written on the counterparts of sim/, not on the server's code: docs/conform.md.`;

export function registerConform(program: Command, io: CliIo): void {
  const conform = program.command('conform').addHelpText('after', HELP);
  for (const register of [
    registerConformEum,
    registerConformMaker,
    registerConformEuicc,
    registerConformOperator,
    registerConformServer,
  ])
    register(conform, io);
}
