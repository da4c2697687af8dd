import { type Command, Option } from 'commander';
import { present } from '../../../shared/present.ts';
import { CallbackServer, type JsonObject, Operator } from '../../../sim/index.ts';
import { readDer, readJson, readOctets } from '../../input/files.ts';
import { wholeOption } from '../../input/options.ts';
import {
  answerJson,
  answerOf,
  clientOptions,
  reach,
  type ServerOptions,
  tlsIdentity,
  withServerOptions,
} from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import { publicJwk, readDeliveryKeys, readJwk, registerSimOperatorResults } from './operator-results.ts';

interface ListenOptions extends Omit<ServerOptions, 'url' | 'requester'> {
  readonly host: string;
  readonly port: number;
  readonly count?: number;
  readonly failFirst: number;
  readonly serverKeys?: string;
}

interface OrderOptions extends ServerOptions {
  readonly order: string;
  readonly template: string;
  readonly outputKey?: string;
  readonly euiccInfo2?: readonly string[];
}

interface OrderIdOption extends ServerOptions {
  readonly orderId: string;
}

const ORDER_HELP = `
order.json has the members of prepareProfiles but the template, such as
  {"orderId": "ORD-1", "profileType": "IoT", "quantity": 100, "requesterDms": ["2.999.50"],
   "personalisation": {…}, "eligibility": {}, "metadata": {"serviceProviderName": "…", "profileName": "…"},
   "callbackUrl": "https://…/ifpp-draft1/es2f/handleProfileLoadingInfo"}`;

export function registerSimOperator(sim: Command, io: CliIo): void {
  const operator = sim.command('operator').description("an Operator's end of ES2f");
  registerListen(operator, io);
  registerOrder(operator, io);
  registerChanges(operator, io);
  registerSimOperatorResults(operator, io);
}

function registerListen(operator: Command, io: CliIo): void {
  operator
    .command('listen')
    .description('take handleProfileLoadingInfo callbacks and show them')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port; 0 takes a free one', wholeOption(0, 65_535), 0)
    .option('--count <n>', 'end after n callbacks (default: at SIGINT)', wholeOption(1, 1e9))
    .option(
      '--fail-first <n>',
      'answer the first n calls with 503, to see them repeated',
      wholeOption(0, 1e6),
      0,
    )
    .option(
      '--tls-ca <file>',
      'PEM: the CA that client certificates are verified with; none without one are taken',
    )
    .option(
      '--server-keys <file>',
      'answer of getServerKeys (smdpf sim operator server-keys): callbacks that are not signed under them are answered 401',
    )
    .option('--tls-cert <file>', 'PEM: server certificate; makes it HTTPS')
    .option('--tls-key <file>', 'PEM: its private key')
    .action((options: ListenOptions) => listen(options, io));
}

/** An order, and how far it is. */
function registerOrder(operator: Command, io: CliIo): void {
  withServerOptions(
    operator
      .command('order')
      .description('order profiles (ES2f.prepareProfiles)')
      .requiredOption('--order <file>', 'members of the order, JSON')
      .requiredOption('--template <file>', 'Unprotected Profile Package that the profiles are made from')
      .option('--output-key <file>', 'key of smdpf sim operator key: its public part becomes the outputKey')
      .option('--euicc-info2 <file...>', 'EuiccInfo2 (BF22) of eUICCs that the profiles are to install on'),
    io,
  )
    .addHelpText('after', ORDER_HELP)
    .action((options: OrderOptions) => order(options, io));

  withServerOptions(
    operator
      .command('status')
      .description('ask how far an order is (ES2f.getOrderStatus)')
      .requiredOption('--order-id <id>', 'orderId')
      .option('--cursor <text>', 'where the page before ended')
      .option('--limit <n>', 'profiles in a page', wholeOption(1, 10_000)),
    io,
  ).action(async (options: OrderIdOption & { readonly cursor?: string; readonly limit?: number }) => {
    const { cursor, limit } = options;
    const page = present({ cursor, limit });
    const client = new Operator(await clientOptions(options));
    answerJson(io, await reach(options.url, () => client.getOrderStatus(options.orderId, page)));
  });
}

/** What an Operator changes in an order of its own, or in one profile of it. */
function registerChanges(operator: Command, io: CliIo): void {
  const change = (name: string, description: string) =>
    withServerOptions(
      operator.command(name).description(description).requiredOption('--order-id <id>', 'orderId'),
      io,
    );

  change('cancel', 'cancel an order or one profile of it (ES2f.cancelOrder)')
    .option('--iccid <digits>', 'only this profile')
    .addOption(
      new Option('--final-status <status>', 'finalProfileStatusIndicator')
        .choices(['Available', 'Unavailable'])
        .default('Unavailable'),
    )
    .action(async (options: CancelOptions) => {
      const client = new Operator(await clientOptions(options));
      const { orderId, finalStatus, iccid } = options;
      answerJson(io, await reach(options.url, () => client.cancelOrder(orderId, finalStatus, iccid)));
    });

  for (const [name, description, method] of OF_PROFILE)
    change(name, `${description} (ES2f.${method})`)
      .requiredOption('--iccid <digits>', 'the profile')
      .action(async (options: OrderIdOption & { readonly iccid: string }) => {
        const client = new Operator(await clientOptions(options));
        const { orderId, iccid } = options;
        answerJson(io, await reach(options.url, () => client[method](orderId, iccid)));
      });

  change('close', 'end an order: what is not bound is closed (ES2f.closeOrder)').action(
    async (options: OrderIdOption) => {
      const client = new Operator(await clientOptions(options));
      answerJson(io, await reach(options.url, () => client.closeOrder(options.orderId)));
    },
  );
}

interface CancelOptions extends OrderIdOption {
  readonly iccid?: string;
  readonly finalStatus: 'Available' | 'Unavailable';
}

const OF_PROFILE = [
  ['release', 'take a profile that was never bound out of its order; its ICCID is free', 'releaseProfile'],
  ['replace', 'another profile for the eUICC of one that failed, is unreported or deleted', 'replaceProfile'],
] as const;

async function order(options: OrderOptions, io: CliIo): Promise<void> {
  const members = await readJson(options.order, '--order');
  if (typeof members !== 'object' || members === null || Array.isArray(members))
    throw new UsageError('--order is not a JSON object', 'smdpf sim operator order --help shows one.');
  const given = {
    ...members,
    ...(options.euiccInfo2 !== undefined && {
      expectedEuiccs: await Promise.all(
        options.euiccInfo2.map(async (file) =>
          Buffer.from(await readDer(file, '--euicc-info2')).toString('base64'),
        ),
      ),
    }),
    ...(options.outputKey !== undefined && {
      outputKey: publicJwk(await readJwk(options.outputKey, '--output-key')),
    }),
  };
  const template = await readOctets(options.template, '--template');
  const { client } = new Operator(await clientOptions(options));
  // the server is the judge of the members
  const call = () => client.submit('es2f', 'prepareProfiles', 'template', template, given as JsonObject);
  answerOf(io, await reach(options.url, call));
}

async function listen(options: ListenOptions, io: CliIo): Promise<void> {
  const tls = await tlsIdentity(options);
  const deliveryKeys =
    options.serverKeys === undefined ? undefined : await readDeliveryKeys(options.serverKeys);
  const server = await reach(`${options.host}:${options.port}`, () =>
    CallbackServer.start({
      host: options.host,
      port: options.port,
      failFirst: options.failFirst,
      ...present({ deliveryKeys }),
      ...(tls.cert !== undefined && { tls }),
    }),
  );
  // on stderr too with --json: whoever waits for the document needs the address before
  io.note(`listening for callbacks at ${server.url}`);
  const ended = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  const polled = pollUntil(server, options.count, io);
  await Promise.race([ended, polled.finished]);
  polled.stop();
  await server.stop();
  const { calls, received, refused } = server;
  io.answer({ calls, received, refused }, () =>
    fields([
      ['calls', calls],
      ['taken', received.length],
      ...refused.map((why) => ['refused', why] as const),
    ]),
  );
}

/** Shows each callback once; finishes after `count` of them. */
function pollUntil(server: CallbackServer, count: number | undefined, io: CliIo) {
  let shown = 0;
  let timer: NodeJS.Timeout | undefined;
  const finished = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      for (; shown < server.received.length; shown++) io.say(JSON.stringify(server.received[shown]));
      if (count !== undefined && shown >= count) resolve();
    }, 50);
  });
  return { finished, stop: () => clearInterval(timer) };
}
