import type { Command } from 'commander';
import { Option } from 'commander';
import { present } from '../../../shared/present.ts';
import { type FunctionAnswer, type JsonObject, Operator } from '../../../sim/index.ts';
import { readDer, readJson, readOctets } from '../../input/files.ts';
import { publicJwk, readJwk } from '../../input/jwk.ts';
import { answerJson, answerOf, clientOptions, type ServerOptions } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { countsText } from '../ops/looking.ts';
import { workText } from './texts.ts';
import { answerOfWork, number, type WaitOptions, type Work } from './waiting.ts';

/*
 * What an Operator calls by ES2f, for `smdpf order` and `smdpf sim operator` alike.
 */

export interface PlaceOptions extends ServerOptions, WaitOptions {
  readonly order: string;
  readonly template: string;
  readonly outputKey?: string;
  readonly euiccInfo2?: readonly string[];
}

export const ORDER_HELP = `
order.json has the members of prepareProfiles but the template, such as
  {"orderId": "ORD-1", "profileType": "IoT", "quantity": 100, "requesterDms": ["2.999.50"],
   "personalisation": {…}, "eligibility": {}, "metadata": {"serviceProviderName": "…", "profileName": "…"},
   "callbackUrl": "https://…/ifpp-draft1/es2f/handleProfileLoadingInfo"}
with "callbackBatch": 100 a call to callbackUrl may tell of so many profiles.`;

export const withOrderFiles = (command: Command, keyFrom: string): Command =>
  command
    .requiredOption('--order <file>', 'members of the order, JSON')
    .requiredOption('--template <file>', 'Unprotected Profile Package that the profiles are made from')
    .option('--output-key <file>', `${keyFrom}: its public part becomes the outputKey`)
    .option('--euicc-info2 <file...>', 'EuiccInfo2 (BF22) of eUICCs that the profiles are to install on')
    .addHelpText('after', ORDER_HELP);

/** ES2f.prepareProfiles; a large order is prepared after the answer. */
export async function placeOrder(options: PlaceOptions, io: CliIo): Promise<void> {
  const members = await readJson(options.order, '--order');
  if (typeof members !== 'object' || members === null || Array.isArray(members))
    throw new UsageError('--order is not a JSON object', 'The command with --help shows one.');
  const given: JsonObject = {
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
  const { client } = new Operator(await clientOptions(options, io));
  const work: Work = {
    ...preparing(() => client.call('es2f', 'getOrderStatus', { orderId: given.orderId, limit: 1 })),
    // the server is the judge of the members
    begin: () => client.submit('es2f', 'prepareProfiles', 'template', template, given),
  };
  tellOrder(io, await answerOfWork(work, options, io));
}

const preparing = (ask: () => Promise<FunctionAnswer>): Work => ({
  label: 'order',
  begin: ask,
  ask,
  isUnderWay: ({ state }) => state === 'Preparing',
  progress: ({ prepared, quantity }) => ({ done: number(prepared), of: number(quantity) }),
});

/** ES2f.getOrderStatus, with --wait until all profiles are prepared. */
export async function orderStatus(
  orderId: string,
  options: ServerOptions & WaitOptions,
  io: CliIo,
): Promise<void> {
  const { client } = new Operator(await clientOptions(options, io));
  const work = preparing(() => client.call('es2f', 'getOrderStatus', { orderId, limit: 1 }));
  tellOrder(io, await answerOfWork(work, options, io));
}

function tellOrder(io: CliIo, answer: FunctionAnswer): void {
  // one of its profiles says nothing of the order
  const { items: _, cursor: __, ...body } = answer.body;
  answerOf(io, { ...answer, body }, () => {
    const { counts, callbacks, iccids, closing: how } = body;
    return workText(
      {
        ...body,
        ...(isCounts(counts) && { profiles: countsText(counts) || 'none' }),
        ...(isCounts(how) && { closing: `${number(how.done)} of ${number(how.of)}` }),
        ...(isCounts(callbacks) && {
          callbacks: `${number(callbacks.waiting)} wait, ${number(callbacks.parked)} were given up`,
        }),
        ...(Array.isArray(iccids) && iccids.length > 0 && { iccids: `${iccids[0]} to ${iccids.at(-1)}` }),
      },
      [
        'orderId',
        'state',
        'closing',
        'reason',
        'quantity',
        'prepared',
        'profiles',
        'iccids',
        'callbacks',
        'warnings',
      ],
    );
  });
}

const isCounts = (value: unknown): value is Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null;

export interface CancelOptions extends ServerOptions, WaitOptions {
  readonly iccid?: string;
  readonly finalStatus: 'Available' | 'Unavailable';
}

export const withCancelOptions = (command: Command): Command =>
  command
    .option('--iccid <digits>', 'only this profile')
    .addOption(
      new Option('--final-status <status>', 'finalProfileStatusIndicator')
        .choices(['Available', 'Unavailable'])
        .default('Unavailable'),
    );

/** ES2f.cancelOrder: an order, or one profile of it. */
export async function cancelOrder(orderId: string, options: CancelOptions, io: CliIo): Promise<void> {
  const { finalStatus, iccid } = options;
  const input = { orderId, finalProfileStatusIndicator: finalStatus, ...present({ iccid }) };
  await endOrder(orderId, 'cancelOrder', input, options, io);
}

/** ES2f.closeOrder. */
export const closeOrder = (orderId: string, options: ServerOptions & WaitOptions, io: CliIo): Promise<void> =>
  endOrder(orderId, 'closeOrder', { orderId }, options, io);

/** The order has ended with the answer; what that leaves to be done is followed with --wait. */
async function endOrder(
  orderId: string,
  method: 'cancelOrder' | 'closeOrder',
  input: JsonObject,
  options: ServerOptions & WaitOptions,
  io: CliIo,
): Promise<void> {
  const { client } = new Operator(await clientOptions(options, io));
  const ended = await client.execute('es2f', method, input);
  if (options.wait !== true) return answerJson(io, ended);
  const ask = () => client.call('es2f', 'getOrderStatus', { orderId, limit: 1 });
  const answer = await answerOfWork(closing(ask), options, io);
  const { state, counts } = answer.body;
  answerJson(io, { ...ended, ...present({ state, counts }) });
}

const closing = (ask: () => Promise<FunctionAnswer>): Work => ({
  label: 'closing',
  begin: ask,
  ask,
  isUnderWay: (body) => isCounts(body.closing),
  progress: ({ closing: how }) =>
    isCounts(how) ? { done: number(how.done), of: number(how.of) } : { done: 0, of: 0 },
});

/** What an Operator changes in one profile of an order: name of the command, what it does, function of ES2f. */
export const OF_PROFILE = [
  ['release', 'take a profile that was never bound out of its order; its ICCID is free', 'releaseProfile'],
  ['replace', 'another profile for the eUICC of one that failed, is unreported or deleted', 'replaceProfile'],
] as const;

export async function changeProfile(
  method: (typeof OF_PROFILE)[number][2],
  orderId: string,
  options: ServerOptions & { readonly iccid: string },
  io: CliIo,
): Promise<void> {
  const client = new Operator(await clientOptions(options, io));
  answerJson(io, await client[method](orderId, options.iccid));
}
