import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseConfiguration } from '../../shared/runtime-config.ts';
import { dictionary, object, optional, type TypeOf, text } from '../../shared/service/records/schema.ts';
import { UsageError } from '../output/failure.ts';

/**
 * A server and who calls it, kept under a name so that no command line has to repeat them. Certificates and keys are
 * named by absolute path: the keys themselves stay where they are.
 */
const serverContext = object({
  url: text,
  requester: optional(text),
  tlsCa: optional(text),
  tlsCert: optional(text),
  tlsKey: optional(text),
});
export type ServerContext = TypeOf<typeof serverContext>;

const contextsFile = object({
  /** The one that applies where a command names none. */
  inUse: optional(text),
  contexts: dictionary(serverContext),
});

export interface Contexts {
  readonly inUse?: string;
  readonly contexts: Readonly<Record<string, ServerContext>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `$SMDPF_CONTEXTS`, or `smdpf/contexts.json` where programs of this user keep their configuration. */
export function contextsPath(env: Environment): string {
  return (
    env.SMDPF_CONTEXTS ??
    join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config'), 'smdpf', 'contexts.json')
  );
}

export async function readContexts(env: Environment): Promise<Contexts> {
  const path = contextsPath(env);
  let json: string;
  try {
    json = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { contexts: {} };
    throw new UsageError(
      `the contexts in ${path} cannot be read`,
      'Check the permissions of the file, or name another with SMDPF_CONTEXTS.',
      { cause },
    );
  }
  return parseConfiguration(contextsFile, json, path);
}

/** Whole or not at all, for its owner alone. */
export async function writeContexts(env: Environment, contexts: Contexts): Promise<void> {
  const path = contextsPath(env);
  const growing = `${path}.${process.pid}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(growing, `${JSON.stringify({ version: 1, ...contexts }, undefined, 2)}\n`, {
      mode: 0o600,
    });
    await chmod(growing, 0o600);
    await rename(growing, path);
  } catch (cause) {
    throw new UsageError(
      `the contexts cannot be written to ${path}`,
      'Check the permissions of its folder, or name another file with SMDPF_CONTEXTS.',
      { cause },
    );
  }
}

/** The context of that name, which has to be there; without a name the one in use, if any. */
export async function savedContext(env: Environment, name?: string): Promise<ServerContext | undefined> {
  const { inUse, contexts } = await readContexts(env);
  const wanted = name ?? inUse;
  if (wanted === undefined) return undefined;
  return Object.hasOwn(contexts, wanted) ? contexts[wanted] : unknownContext(wanted, contexts);
}

export function unknownContext(name: string, contexts: Contexts['contexts']): never {
  const known = Object.keys(contexts);
  throw new UsageError(
    `there is no context ${name}`,
    known.length === 0 ? 'smdpf context add keeps one.' : `There are ${known.join(', ')}.`,
  );
}
