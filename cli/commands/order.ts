import type { Command } from 'commander';
import { type ServerOptions, withServerOptions } from '../input/server-options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { registerOrderView } from './ops/lists.ts';
import {
  type CancelOptions,
  cancelOrder,
  changeProfile,
  closeOrder,
  OF_PROFILE,
  orderStatus,
  type PlaceOptions,
  placeOrder,
  withCancelOptions,
  withOrderFiles,
} from './party-calls/order.ts';
import { type OutputOptions, orderOutput, orderReport } from './party-calls/order-results.ts';
import { type WaitOptions, withWaitOptions } from './party-calls/waiting.ts';

const HELP = `
  smdpf order ORD-1                                     the same as smdpf order show ORD-1: as a viewer, or in a folder
  smdpf order place --order order.json --template template.der --wait
  smdpf order status ORD-1                              as the Operator whose order it is`;

/** `smdpf order`: one order, for who looks, and what its Operator does with it. */
export function registerOrder(program: Command, io: CliIo): void {
  const group = program.command('order').addHelpText('after', HELP);
  registerOrderView(group, io);
  const called = (usage: string, description: string) =>
    withServerOptions(group.command(usage).description(description), io);
  const waited = (usage: string, description: string) => withWaitOptions(called(usage, description));

  withWaitOptions(
    withOrderFiles(called('place', 'order profiles (ES2f.prepareProfiles)'), 'a JWK of P-256 or RSA'),
  ).action((options: PlaceOptions) => placeOrder(options, io));
  waited('status <orderId>', 'how far it is, and its profiles by state (ES2f.getOrderStatus)').action(
    (orderId: string, options: ServerOptions & WaitOptions) => orderStatus(orderId, options, io),
  );
  withCancelOptions(
    waited('cancel <orderId>', 'cancel an order or one profile of it (ES2f.cancelOrder)'),
  ).action((orderId: string, options: CancelOptions) => cancelOrder(orderId, options, io));
  for (const [name, description, method] of OF_PROFILE)
    called(`${name} <orderId>`, `${description} (ES2f.${method})`)
      .requiredOption('--iccid <digits>', 'the profile')
      .action((orderId: string, options: ServerOptions & { readonly iccid: string }) =>
        changeProfile(method, orderId, options, io),
      );
  waited('close <orderId>', 'end an order: what is not bound is closed (ES2f.closeOrder)').action(
    (orderId: string, options: ServerOptions & WaitOptions) => closeOrder(orderId, options, io),
  );
  called('output <orderId>', 'fetch and decrypt the output rows of an order (ES2f.getOrderOutput)')
    .requiredOption('--key <file>', 'the private JWK')
    .requiredOption('--out <file>', 'JSON lines, in clear; a new file is readable by its owner alone')
    .action((orderId: string, options: OutputOptions) => orderOutput(orderId, options, io));
  called(
    'report <orderId>',
    'fetch and verify the signed report about an order (ES2f.getOrderReport)',
  ).action((orderId: string, options: ServerOptions) => orderReport(orderId, options, io));
}
