import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { present } from '../../shared/present.ts';
import { underDualControl } from '../deployment/acting-person.ts';
import { withRuntime } from '../deployment/with-runtime.ts';
import { readDer } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';
import { type Folder, folderCommands } from './folder-commands.ts';

const HELP = `
A person acts under their own key where SMDPF_IDENTITY names it: a PEM file, pkcs11:… on a token, or awskms:… for a key that
only the role of that person may use. Without it a command names the account of the operating system.

  openssl ecparam -name prime256v1 -genkey -noout -out anna.pem && openssl ec -in anna.pem -pubout -out anna.pub
  smdpf administrator add anna --public-key anna.pub

On AWS one role is one person: with --aws-role a command also asks AWS whose credentials it has (STS GetCallerIdentity), and
refuses any other role. Sessions of a role are one person, whatever they are called.

  SMDPF_IDENTITY=anna.pem smdpf trust list`;

/** `smdpf administrator`: persons who administer. */
export function registerAdministrator(program: Command, io: CliIo): void {
  const group = program
    .command('administrator')
    .description('persons who administer, by name and own key')
    .addHelpText('after', HELP);
  const command = folderCommands(group);

  command('add <name>', 'register a person with the public part of their own key, on P-256')
    .requiredOption('--public-key <file>', 'SubjectPublicKeyInfo in PEM or DER')
    .option('--aws-role <arn>', 'the role of IAM that this person alone may assume, and acts by')
    .action((name: string, options: AddOptions) => add(name, options, io));
  command('list', 'all persons, those who were removed too').action((options: Folder) => list(options, io));
  command('remove <name>', 'a person administers no more; their name and key are not given again').action(
    (name: string, options: Folder) => remove(name, options, io),
  );
}

type AddOptions = Folder & { readonly publicKey: string; readonly awsRole?: string };

async function add(name: string, { folder, publicKey, awsRole }: AddOptions, io: CliIo): Promise<void> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u.test(name))
    throw new UsageError('a name has 1 to 64 letters, digits, spaces and . _ @ -', 'Such as anna.');
  const spki = await readDer(publicKey, '--public-key', 'publicKey');
  await withRuntime(folder, async (runtime, _deployment, by) => {
    const { administrators } = runtime.dualControl;
    await underDualControl(runtime, by, { action: 'administrators', subject: name }, (begun) =>
      administrators.add(name, spki, begun, awsRole),
    );
    io.answer({ administrator: name }, () => fields([['administrator', name]]));
  });
}

function list({ folder }: Folder, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ dualControl }) => {
    const found = (await dualControl.administrators.list()).map(
      ({ name, publicKey, awsRole, addedAt, removedAt }) => ({
        name,
        publicKey: createHash('sha256').update(publicKey).digest('hex'),
        ...present({ awsRole }),
        addedAt: new Date(addedAt).toISOString(),
        ...(removedAt !== undefined && { removedAt: new Date(removedAt).toISOString() }),
      }),
    );
    io.answer({ administrators: found }, () =>
      table(
        ['name', 'SHA-256 of the key', 'role of AWS', 'since', 'removed'],
        found.map((one) => [one.name, one.publicKey, one.awsRole, one.addedAt, one.removedAt]),
      ),
    );
  });
}

function remove(name: string, { folder }: Folder, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime, _deployment, by) => {
    const { administrators } = runtime.dualControl;
    await underDualControl(runtime, by, { action: 'administrators', subject: name }, (begun) =>
      administrators.remove(name, begun),
    );
    io.answer({ removed: name }, () => fields([['removed', name]]));
  });
}
