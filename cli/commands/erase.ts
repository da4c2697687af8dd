import { existsSync, realpathSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Runtime } from '../../shared/runtime.ts';
import type { Person } from '../../shared/service/api/actor.ts';
import { isObject } from '../../shared/service/records/schema.ts';
import { STORE_NAMES } from '../../shared/service/restore/identity.ts';
import { personWith, withIdentity } from '../deployment/acting-person.ts';
import { isWithin } from '../deployment/config-file.ts';
import { CONFIG_OPTION, openRuntimeOf, type Where } from '../deployment/where.ts';
import { destroyFile } from '../erasure/destroy-key.ts';
import { erase, planErasure } from '../erasure/erase.ts';
import { readJson, requireFresh, writeOutput } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';
import { folderCommands } from './folder-commands.ts';
import { verifyStatement } from './statement.ts';

/** `smdpf erase`: removes an Operator, and says in a signed statement what was erased and looked at. */
export function registerErase(program: Command, io: CliIo): void {
  const group = program.command('erase');
  const inFolder = folderCommands(group);
  const command = (usage: string, description: string) =>
    inFolder(usage, description).option(...CONFIG_OPTION);

  command('plan', 'say what there is to be erased; changes nothing').action(async (where: Where) => {
    const runtime = await openRuntimeOf(where, STORE_NAMES);
    try {
      const plan = await planErasure(runtime);
      io.answer({ ...plan }, () =>
        fields([
          ['deployment', plan.deployment],
          ['keys', plan.keys.join(' ')],
          ['files and folders', plan.paths.join(' ')],
          ['objects of the vault', String(plan.objects)],
          ['work that is still open', String(plan.openWork)],
        ]),
      );
    } finally {
      await runtime.close();
    }
  });

  group
    .command('verify <statement>')
    .description('verify the statement of an erasure, with no server and no network')
    .requiredOption('--keys <file>', 'delivery keys of the server, kept from before it was erased')
    .action((statement: string, options: { keys: string }) =>
      verifyStatement(statement, options, io, 'smdpf-erasure+jws'),
    );

  command('run', 'erase; there is no way back. Its server has to be stopped; may be repeated')
    .requiredOption('--confirm <deployment>', 'the name of the deployment, as plan tells it')
    .requiredOption('--statement <file>', 'where to write the signed statement')
    .option(
      '--outside <path...>',
      'stores or keys outside the folder that are to be erased too, as plan has them',
    )
    .action(
      async ({
        confirm,
        statement: file,
        outside = [],
        ...where
      }: Where & { confirm: string; statement: string; outside?: string[] }) => {
        await requireOwnStatement(file, confirm);
        const runtime = await openRuntimeOf(where, STORE_NAMES);
        let by: Person;
        try {
          await requireConfirmed(runtime, where, confirm, outside, io);
          // not ended afterwards: the ledger that has the approval is gone
          by = await begunErasure(runtime);
        } catch (error) {
          await runtime.close();
          throw error;
        }
        const erasure = await erase(
          runtime,
          by,
          async (made) => {
            // the statement of the run that could still sign stays
            if (made.jws === undefined && existsSync(file)) return;
            await writeOutput(file, `${JSON.stringify(made, undefined, 2)}\n`, '--statement', {
              mode: 0o600,
            });
          },
          ({ what, state }) => io.say(`${state}: ${what}`),
        );
        if (where.config === undefined) await eraseSecrets(where.folder);
        io.answer({ ...erasure, file }, () =>
          table(
            ['what', 'state', 'count', 'checked'],
            erasure.statement.erased.map((one) => [one.what, one.state, one.count ?? '', one.checked]),
          ),
        );
      },
    );
}

/** The person who erases, with the second one where that takes two. */
function begunErasure(runtime: Runtime): Promise<Person> {
  const guarded = { action: 'erase', subject: runtime.config.deployment } as const;
  return withIdentity(runtime, (identity) =>
    runtime.dualControl.begin(guarded, personWith('cli', identity), identity),
  );
}

/** A file that is there is the statement of an earlier run, or somebody's that is not to be replaced. */
async function requireOwnStatement(file: string, deployment: string): Promise<void> {
  if (!existsSync(file)) return await requireFresh(file, '--statement');
  const found = await readJson(file, '--statement').catch(() => undefined);
  const statement = isObject(found) ? found.statement : undefined;
  if (isObject(statement) && statement.deployment === deployment) return;
  throw new UsageError(
    `--statement: ${file} exists, and is no statement of ${deployment}`,
    'Name another place, or remove what is there.',
  );
}

/** The name of the deployment is right, and nothing outside its folder is touched that was not named. */
async function requireConfirmed(
  runtime: Runtime,
  { folder, config }: Where,
  confirm: string,
  outside: readonly string[],
  io: CliIo,
): Promise<void> {
  const { deployment, paths } = await planErasure(runtime);
  for (const path of paths) io.say(`to be erased: ${path}`);
  if (confirm !== deployment)
    throw new UsageError('--confirm is not the name of this deployment', 'smdpf erase plan tells it.');
  if (config !== undefined) return;
  const own = realpathSync(folder);
  const stray = paths.filter((path) => !isWithin(own, path) && !outside.includes(path));
  if (stray.length > 0)
    throw new UsageError(
      `--folder: outside ${own} lies what the deployment calls its own: ${stray.join(', ')}`,
      'If it belongs to no other deployment, name each path with --outside; otherwise correct config.json.',
    );
}

/** What a folder has beside its stores: passphrase, TLS keys, and the configuration, whose transfer secret goes last. */
async function eraseSecrets(folder: string): Promise<void> {
  for (const name of ['keys', 'tls']) {
    const path = join(folder, name);
    for (const file of await readdir(path).catch(() => [])) await destroyFile(join(path, file));
    await rm(path, { recursive: true, force: true });
  }
  await destroyFile(join(folder, 'config.json'));
}
