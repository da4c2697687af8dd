import type { Command } from 'commander';
import { present } from '../../shared/present.ts';
import type { ClientOptions, FunctionAnswer, JsonObject, TlsIdentity } from '../../sim/index.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { exitCodeOf } from '../output/server-failure.ts';
import { fields } from '../output/table.ts';
import { type ServerContext, savedContext } from './contexts.ts';
import { readOctets } from './files.ts';

export interface ServerOptions {
  readonly url: string;
  readonly requester?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** What a context fills in: each option by its name in the command line. */
const SAVED = ['url', 'requester', 'tlsCa', 'tlsCert', 'tlsKey'] as const satisfies (keyof ServerContext)[];

/** Options of the commands that call a server: named one by one, or kept under a name by `smdpf context`. */
export function withServerOptions(command: Command, io: CliIo): Command {
  return withContext(
    command.option(
      '--url <url>',
      'scheme, host and port of the SM-DPf; without it those of the context apply',
    ),
    io,
  )
    .option('--requester <id>', 'functionRequesterIdentifier of this party')
    .option('--tls-ca <file>', 'PEM: the CA that the server certificate is verified with')
    .option('--tls-cert <file>', 'PEM: the client certificate of this party')
    .option('--tls-key <file>', 'PEM: its private key');
}

/** What names where a command works. */
interface Named {
  readonly url?: string;
  readonly context?: string;
  /** A deployment of this machine, which needs no server. */
  readonly folder?: string;
}

/** `--context`, and what it stands for filled in before the action runs. */
export function withContext(command: Command, io: CliIo, names: readonly string[] = SAVED): Command {
  return command
    .option('--context <name>', 'a server and its certificates, as kept by smdpf context add')
    .hook('preAction', async (_, action) => {
      const { url, context, folder } = action.opts<Named>();
      // whoever names a server means that one alone: no certificate goes there that was kept for another
      if (context === undefined && (url ?? folder) !== undefined) return;
      const saved = await savedContext(io.env, context);
      if (saved === undefined) {
        const orFolder = action.options.some(({ long }) => long === '--folder');
        throw new UsageError(
          `no server${orFolder ? ' or folder' : ''} is named, and no context is in use`,
          `Give ${orFolder ? '--folder FOLDER, ' : ''}--url https://HOST:PORT, or keep a server with smdpf context add.`,
        );
      }
      for (const [name, value] of Object.entries(saved))
        if (names.includes(name) && action.getOptionValue(name) === undefined)
          action.setOptionValueWithSource(name, value, 'config');
    });
}

export function requireServerUrl(url: string): void {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new UsageError('--url is not an http or https URL', 'Give it as https://HOST:PORT.');
}

/** A command of many calls, such as one for each pack of an order, is faster than a party may be; and servers are restarted. */
const PATIENCE_MS = 60_000;
/** Milliseconds between two lines about waiting: a command of many calls may wait a little before each. */
const QUIET_MS = 5_000;

export async function clientOptions(options: ServerOptions, io: CliIo): Promise<ClientOptions> {
  requireServerUrl(options.url);
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    baseUrl: options.url,
    tls: await tlsIdentity(options),
    patienceMs: PATIENCE_MS,
    onWait(why, waitMs) {
      const at = performance.now();
      if (at - toldAt < QUIET_MS) return;
      toldAt = at;
      io.note(`${why}; again in ${(waitMs / 1000).toFixed(1)} s`);
    },
    ...present({ functionRequesterIdentifier: options.requester }),
  };
}

const IN_PEM = {
  certificate: /-----BEGIN CERTIFICATE-----/,
  'private key': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
};

/** A file for TLS, which takes PEM alone. What is something else is told of here: OpenSSL says `no start line`. */
export async function readPem(
  path: string | undefined,
  option: string,
  what: keyof typeof IN_PEM,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const octets = await readOctets(path, option);
  const text = Buffer.from(octets).toString('utf8');
  if (IN_PEM[what].test(text)) return text;
  const tool = what === 'certificate' ? 'openssl x509' : 'openssl pkey';
  if (octets[0] === 0x30)
    throw new UsageError(
      `${option}: ${path} is DER, and TLS takes PEM`,
      `Write it again: ${tool} -inform DER -in FILE -out FILE.pem`,
    );
  throw new UsageError(
    `${option}: ${path} has no ${what} in PEM`,
    `Name the file with the ${what} of this party, or of the CA.`,
  );
}

export async function tlsIdentity(options: Omit<ServerOptions, 'url'>): Promise<TlsIdentity> {
  const ca = await readPem(options.tlsCa, '--tls-ca', 'certificate');
  const cert = await readPem(options.tlsCert, '--tls-cert', 'certificate');
  const key = await readPem(options.tlsKey, '--tls-key', 'private key');
  return present({ ca, cert, key });
}

/**
 * Shows the answer of a function; one that was not executed ends with the exit code of a refusal, or of a fault where it is the
 * server's. `text` is of one that was.
 */
export function answerOf(io: CliIo, answer: FunctionAnswer, text?: (body: JsonObject) => string): void {
  const { httpStatus, status, subjectCode, reasonCode, message, body } = answer;
  if (!status.startsWith('Executed')) io.exit(exitCodeOf(answer));
  const { header: _, ...members } = body;
  const head = { httpStatus, status, subjectCode, reasonCode, message };
  const document = { ...head, ...members };
  if (text === undefined || !status.startsWith('Executed')) answerJson(io, document);
  else io.answer(document, () => text(members));
}

/** Shows the members of an answer: a line for each entry of a list, objects as JSON. */
export function answerJson(io: CliIo, document: JsonObject): void {
  // the header of an answer that was executed says no more than that
  const members = Object.entries(document).filter(([name]) => name !== 'header');
  io.answer(document, () => fields(members.flatMap(([name, value]) => lines(name, value))));
}

function lines(name: string, value: unknown): [name: string, value: string | undefined][] {
  if (!Array.isArray(value)) return [[name, shown(value)]];
  if (value.length === 0) return [[name, 'none']];
  return value.map((entry, index) => [index === 0 ? name : '', shown(entry)]);
}

function shown(value: unknown): string | undefined {
  if (typeof value === 'object') return JSON.stringify(value);
  return value === undefined ? undefined : String(value);
}
