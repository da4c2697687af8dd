import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ifPresent, present } from '../../shared/present.ts';
import {
  contextsPath,
  readContexts,
  type ServerContext,
  unknownContext,
  writeContexts,
} from '../input/contexts.ts';
import { readPem, requireServerUrl } from '../input/server-options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { table } from '../output/table.ts';

interface AddArguments {
  readonly url: string;
  readonly requester?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly replace?: true;
}

const HELP = `
Every command that calls a server takes the context in use where --url is not given, or the one of --context NAME. The file
holds paths alone, never a key. $SMDPF_CONTEXTS names another file than ~/.config/smdpf/contexts.json.

Example:
  smdpf context add plant --url https://127.0.0.1:8443 --ca try/tls/ca.cert.pem --requester 2.999.60 \\
    --cert try/tls/client-operator-2.999.60.cert.pem --key try/tls/client-operator-2.999.60.key.pem`;

/** `smdpf context`: servers and certificates under a name, so that no command line has to repeat them. */
export function registerContext(program: Command, io: CliIo): void {
  const context = program.command('context').addHelpText('after', HELP);

  context
    .command('add <name>')
    .description('keep a server; the first one is in use from then on')
    .requiredOption('--url <url>', 'scheme, host and port of the SM-DPf')
    .option('--requester <id>', 'functionRequesterIdentifier of this party')
    .addOption(
      new Option('--ca, --tls-ca <file>', 'PEM: the CA that the server certificate is verified with'),
    )
    .addOption(new Option('--cert, --tls-cert <file>', 'PEM: the client certificate of this party'))
    .addOption(new Option('--key, --tls-key <file>', 'PEM: its private key'))
    .option('--replace', 'in the place of the one that has this name')
    .action((name: string, options: AddArguments) => add(name, options, io));
  context
    .command('list')
    .description('all of them, and which is in use')
    .action(() => list(io));
  context
    .command('use <name>')
    .description('the one that applies where a command names none')
    .action((name: string) => use(name, io));
  context
    .command('remove <name>')
    .description('forget it; its certificate and key stay where they are')
    .action((name: string) => remove(name, io));
}

async function add(name: string, options: AddArguments, io: CliIo): Promise<void> {
  if (!/^[a-zA-Z0-9][\w.-]{0,63}$/.test(name))
    throw new UsageError(
      'the name of a context is a short word',
      'Letters, digits, dots and dashes, such as plant-1.',
    );
  requireServerUrl(options.url);
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined))
    throw new UsageError(
      '--cert and --key belong together',
      'Give both, or neither for a server that asks for none.',
    );
  const context: ServerContext = {
    url: options.url,
    ...present({
      requester: options.requester,
      tlsCa: await kept(options.tlsCa, '--ca', 'certificate'),
      tlsCert: await kept(options.tlsCert, '--cert', 'certificate'),
      tlsKey: await kept(options.tlsKey, '--key', 'private key'),
    }),
  };
  const { inUse = name, contexts } = await readContexts(io.env);
  if (Object.hasOwn(contexts, name) && options.replace !== true)
    throw new UsageError(`there is a context ${name}`, 'Choose another name, or give --replace.');
  await writeContexts(io.env, { inUse, contexts: { ...contexts, [name]: context } });
  io.answer({ name, ...context, inUse: inUse === name }, () =>
    inUse === name
      ? `${name} is kept, and in use`
      : `${name} is kept; smdpf context use ${name} puts it in use`,
  );
}

/** The absolute path of a file that can be read now, and is what it has to be. */
async function kept(
  path: string | undefined,
  option: string,
  what: 'certificate' | 'private key',
): Promise<string | undefined> {
  await readPem(path, option, what);
  return ifPresent(path, (given) => resolve(given));
}

async function list(io: CliIo): Promise<void> {
  const { inUse, contexts } = await readContexts(io.env);
  const all = Object.entries(contexts).map(([name, context]) => ({
    name,
    ...context,
    inUse: name === inUse,
  }));
  io.answer({ file: contextsPath(io.env), contexts: all }, () =>
    all.length === 0
      ? 'none is kept: smdpf context add'
      : table(
          ['', 'name', 'url', 'requester', 'certificate'],
          all.map((one) => [one.inUse ? '*' : '', one.name, one.url, one.requester, one.tlsCert]),
        ),
  );
}

async function use(name: string, io: CliIo): Promise<void> {
  const { contexts } = await readContexts(io.env);
  if (!Object.hasOwn(contexts, name)) unknownContext(name, contexts);
  await writeContexts(io.env, { inUse: name, contexts });
  io.answer({ inUse: name }, `${name} is in use`);
}

async function remove(name: string, io: CliIo): Promise<void> {
  const { inUse, contexts } = await readContexts(io.env);
  if (!Object.hasOwn(contexts, name)) unknownContext(name, contexts);
  const rest = Object.fromEntries(Object.entries(contexts).filter(([other]) => other !== name));
  await writeContexts(io.env, { contexts: rest, ...(inUse !== name && present({ inUse })) });
  io.answer(
    { removed: name },
    inUse === name ? `${name} is forgotten; none is in use now` : `${name} is forgotten`,
  );
}
