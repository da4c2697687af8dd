import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { registerCheck } from './profile/check.ts';
import { registerDiff } from './profile/diff.ts';
import { registerErrors } from './profile/errors.ts';
import { registerPersonalise } from './profile/personalise.ts';
import { registerPreflight } from './profile/preflight.ts';
import { registerShow } from './profile/show.ts';
import { registerTemplate } from './profile/template.ts';

/** `smdpf profile`: profile packages from files, without any store. */
export function registerProfile(program: Command, io: CliIo): void {
  const profile = program.command('profile');
  for (const register of [
    registerCheck,
    registerShow,
    registerPersonalise,
    registerDiff,
    registerTemplate,
    registerPreflight,
    registerErrors,
  ])
    register(profile, io);
}
