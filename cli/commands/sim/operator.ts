import type { Command } from 'commander';
import { present } from '../../../shared/present.ts';
import { CallbackServer, Operator } from '../../../sim/index.ts';
import { wholeOption } from '../../input/options.ts';
import {
  answerJson,
  clientOptions,
  type ServerOptions,
  tlsIdentity,
  withServerOptions,
} from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields } from '../../output/table.ts';
import {
  type CancelOptions,
  cancelOrder,
  changeProfile,
  closeOrder,
  OF_PROFILE,
  type PlaceOptions,
  placeOrder,
  withCancelOptions,
  withOrderFiles,
} from '../party-calls/order.ts';
import { type WaitOptions, withWaitOptions } from '../party-calls/waiting.ts';
import { readDeliveryKeys, registerSimOperatorResults } from './operator-results.ts';

interface ListenOptions extends Omit<ServerOptions, 'url' | 'requester'> {
  readonly host: string;
  readonly port: number;
  readonly count?: number;
  readonly failFirst: number;
  readonly refuseFirst: number;
  readonly serverKeys?: string;
}

interface OrderIdOption extends ServerOptions {
  readonly orderId: string;
}

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
      '--refuse-first <n>',
      'refuse the first n callbacks out of calls with several (callbackBatch of the order), to see them repeated',
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
    withOrderFiles(
      withWaitOptions(operator.command('order').description('order profiles (ES2f.prepareProfiles)')),
      'key of smdpf sim operator key',
    ),
    io,
  ).action((options: PlaceOptions) => placeOrder(options, io));

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
    const client = new Operator(await clientOptions(options, io));
    answerJson(io, await client.getOrderStatus(options.orderId, page));
  });
}

/** What an Operator changes in an order of its own, or in one profile of it. */
function registerChanges(operator: Command, io: CliIo): void {
  const change = (name: string, description: string) =>
    withServerOptions(
      operator.command(name).description(description).requiredOption('--order-id <id>', 'orderId'),
      io,
    );

  withCancelOptions(
    withWaitOptions(change('cancel', 'cancel an order or one profile of it (ES2f.cancelOrder)')),
  ).action((options: OrderIdOption & CancelOptions) => cancelOrder(options.orderId, options, io));
  for (const [name, description, method] of OF_PROFILE)
    change(name, `${description} (ES2f.${method})`)
      .requiredOption('--iccid <digits>', 'the profile')
      .action((options: OrderIdOption & { readonly iccid: string }) =>
        changeProfile(method, options.orderId, options, io),
      );
  withWaitOptions(change('close', 'end an order: what is not bound is closed (ES2f.closeOrder)')).action(
    (options: OrderIdOption & WaitOptions) => closeOrder(options.orderId, options, io),
  );
}

async function listen(options: ListenOptions, io: CliIo): Promise<void> {
  const tls = await tlsIdentity(options);
  const deliveryKeys =
    options.serverKeys === undefined ? undefined : await readDeliveryKeys(options.serverKeys);
  const server = await CallbackServer.start({
    host: options.host,
    port: options.port,
    failFirst: options.failFirst,
    refuseFirst: options.refuseFirst,
    ...present({ deliveryKeys }),
    ...(tls.cert !== undefined && { tls }),
  });
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
