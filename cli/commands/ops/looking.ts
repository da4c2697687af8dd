import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Inventory } from '../../../shared/service/api/ops.ts';
import { executed, FunctionClient } from '../../../sim/index.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { clientOptions, reach, type ServerOptions, withServerOptions } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';

/** Where a command looks: a folder by itself, or a server by `ops.*`, and how often. */
export interface LookOptions extends Partial<ServerOptions> {
  readonly folder?: string;
  readonly watch?: true | number;
  readonly times?: number;
}

/** What a look has found: the document of --json, and a text for people. */
export interface View {
  readonly document: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const WATCH_S = 2;
const CLEAR = '\x1b[H\x1b[2J';

/** Options of every command that looks. Without a folder it asks the server of the context in use. */
export function withLookOptions(command: Command, io: CliIo): Command {
  const plain = command
    .option('--folder <folder>', 'look at a deployment in a folder of this machine, in place of a server')
    .option('--watch [seconds]', 'look again and again, until interrupted', seconds)
    .option('--times <n>', 'with --watch: so many times', seconds);
  return withServerOptions(plain, io);
}

/** Looks, once or again and again, and shows what was found. */
export async function look(
  options: LookOptions,
  io: CliIo,
  view: (inventory: Inventory) => Promise<View>,
): Promise<void> {
  const { watch, times = Number.POSITIVE_INFINITY } = options;
  if (watch === undefined) {
    const { document, text } = await withInventory(options, view);
    return io.answer(document, () => fitting(text));
  }
  if (io.json) throw new UsageError('--watch is for people', 'Leave out --json, or ask again by yourself.');
  for (let round = 0; round < times; round++) {
    if (round > 0) await sleep((watch === true ? WATCH_S : watch) * 1000);
    const { text } = await withInventory(options, view);
    io.say(`${process.stdout.isTTY ? CLEAR : ''}${fitting(text)}`);
  }
}

async function withInventory<T>(
  { folder, ...server }: LookOptions,
  work: (inventory: Inventory) => Promise<T>,
): Promise<T> {
  if (folder !== undefined) return await withRuntime(folder, ({ services }) => work(services.inventory));
  const { url = '' } = server;
  const client = new FunctionClient(await clientOptions({ ...server, url }));
  return await reach(url, () => work(remoteInventory(client)));
}

/** The inventory of a server, each method by the function of its name. */
function remoteInventory(client: FunctionClient): Inventory {
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

/** Lines that are too long for the terminal are cut, so that a table stays one. */
function fitting(text: string): string {
  const { isTTY, columns } = process.stdout;
  if (!isTTY || columns === undefined) return text;
  return text
    .split('\n')
    .map((line) => (line.length <= columns ? line : `${line.slice(0, columns - 1)}…`))
    .join('\n');
}

function seconds(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0) throw new InvalidArgumentError('a number is expected');
  return number;
}

/** "2026-11-27 09:30:00", in UTC. */
export const timeText = (iso: string | undefined) => iso?.slice(0, 19).replace('T', ' ');

/** "Available 3, Installed 2" */
export const countsText = (counts: Readonly<Record<string, number | undefined>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** What follows a page that is not the last one. */
export const moreText = (cursor: string | undefined) =>
  cursor === undefined ? '' : '\n\nthere are more: --limit, or --cursor with the cursor that --json shows';
