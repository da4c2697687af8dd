import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Person } from '../../../shared/service/api/actor.ts';
import type { Inventory } from '../../../shared/service/api/ops.ts';
import { executed, FunctionClient } from '../../../sim/index.ts';
import type { DeploymentFolder } from '../../deployment/folder.ts';
import { healthInFolder } from '../../deployment/own-health.ts';
import { FOLDER_OPTION, withRuntime } from '../../deployment/with-runtime.ts';
import { savedContext } from '../../input/contexts.ts';
import { wholeOption } from '../../input/options.ts';
import { clientOptions, type ServerOptions, withServerOptions } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { describeFailure, HintedError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';

/** Where a command works: in a folder by itself, or at a server by its functions. */
export interface Where extends Partial<ServerOptions> {
  readonly folder?: string;
}

/** Where a command looks, and how often. */
export interface LookOptions extends Where {
  readonly watch?: true | number;
  readonly times?: number;
}

/** What a look has found: the document of --json, and a text for people. */
export interface View {
  readonly document: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What `smdpf serve` makes unless it is told otherwise. */
const HERE = FOLDER_OPTION[2];
const WATCH_S = 2;
const LONGEST_WATCH_S = 86_400;
const CLEAR = '\x1b[H\x1b[2J';

/** Options of every command that looks. Without a folder it asks the server of the context in use. */
export function withLookOptions(command: Command, io: CliIo): Command {
  const plain = command
    .option('--watch [seconds]', 'look again and again, until interrupted; with --json a line each', seconds)
    .option('--times <n>', 'with --watch: so many times', wholeOption(1, 1_000_000));
  return withWhere(plain, io);
}

/** `--folder`, or what names a server. */
export function withWhere(command: Command, io: CliIo): Command {
  const folder = new Option(
    '--folder <folder>',
    `a deployment in a folder of this machine, in place of a server; ${HERE} where there is one and no server is known`,
  ).conflicts(['url', 'context']);
  const placed = command.addOption(folder).hook('preAction', async (_, action) => {
    const { url, context } = action.opts<{ readonly url?: string; readonly context?: string }>();
    if ((url ?? context) !== undefined || (await savedContext(io.env, undefined)) !== undefined) return;
    if (action.getOptionValue('folder') === undefined && existsSync(HERE))
      action.setOptionValueWithSource('folder', HERE, 'default');
  });
  return withServerOptions(placed, io);
}

/** Looks, once or again and again, and shows what was found. */
export async function look(
  options: LookOptions,
  io: CliIo,
  view: (inventory: Inventory) => Promise<View>,
): Promise<void> {
  const { watch, times = Number.POSITIVE_INFINITY } = options;
  if (watch === undefined) {
    const { document, text } = await withCursor(options, () => withInventory(options, io, view));
    return io.answer(document, text);
  }
  // whoever read the answers, such as head, may go; the stream itself tells it this once, and not by `destroyed`
  let isRead = true;
  process.stdout.once('error', () => {
    isRead = false;
  });
  for (let round = 0; round < times && isRead; round++) {
    if (round > 0) await sleep((watch === true ? WATCH_S : watch) * 1000);
    try {
      const { document, text } = await withInventory(options, io, view);
      io.answerInLine(document, `${process.stdout.isTTY ? CLEAR : ''}${text}`);
    } catch (error) {
      // what was seen once is looked for again, such as by a server that is started anew
      if (round === 0) throw error;
      io.warn(describeFailure(error).failure.message);
    }
  }
}

/** A cursor that is refused says so by itself; what to do about it only the command line knows. */
async function withCursor<T>(
  options: LookOptions & { readonly cursor?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (options.cursor === undefined || !(error instanceof Error)) throw error;
    if (describeFailure(error).failure.code !== 'protocolFormat') throw error;
    throw new HintedError(
      error,
      'Give --cursor as --json has shown it, with the same options, or leave it out.',
    );
  }
}

function withInventory<T>(where: Where, io: CliIo, work: (inventory: Inventory) => Promise<T>): Promise<T> {
  return withWork(where, io, {
    folder: async (runtime, _by, deployment) => {
      Object.assign(runtime.ofProcess, healthInFolder(runtime, deployment));
      return await work(runtime.services.inventory);
    },
    server: (client) => work(remoteInventory(client)),
  });
}

/** The same work in a folder and at a server. */
export interface Work<T> {
  readonly folder: (runtime: Runtime, by: Person, deployment: DeploymentFolder) => Promise<T>;
  readonly server: (client: FunctionClient) => Promise<T>;
}

/** Works where the options say. */
export async function withWork<T>({ folder, ...server }: Where, io: CliIo, work: Work<T>): Promise<T> {
  if (folder !== undefined)
    return await withRuntime(folder, (runtime, deployment, by) => work.folder(runtime, by, deployment));
  const { url = '' } = server;
  const client = new FunctionClient(await clientOptions({ ...server, url }, io));
  return await work.server(client);
}

/** The inventory of a server, each method by the function of its name. */
export function remoteInventory(client: FunctionClient): Inventory {
  const method =
    (name: string) =>
    async (input: Readonly<Record<string, unknown>> = {}): Promise<unknown> => {
      const { header: _, ...members } = executed(await client.call('ops', name, input));
      return members;
    };
  return new Proxy({} as Inventory, {
    get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : method(name)),
  });
}

function seconds(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= LONGEST_WATCH_S))
    throw new InvalidArgumentError(`a number of seconds is expected, ${LONGEST_WATCH_S} at most`);
  return number;
}

/** "2026-11-27 09:30:00Z": UTC, as ISO 8601 but for the space. */
export const timeText = (iso: string | undefined) =>
  iso === undefined ? undefined : `${iso.slice(0, 19).replace('T', ' ')}Z`;

/** "Available 3, Installed 2" */
export const countsText = (counts: Readonly<Record<string, number | undefined>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** A table, or what is said where it has no rows. */
export const tableOr = (
  nothing: string,
  headings: readonly string[],
  rows: Parameters<typeof table>[1],
): string => (rows.length === 0 ? nothing : table(headings, rows));

/** What follows a page that is not the last one. */
export const moreText = (cursor: string | undefined) =>
  cursor === undefined ? '' : '\n\nthere are more: --limit, or --cursor with the cursor that --json shows';
