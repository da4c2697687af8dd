/**
 * A server process in the middle of everything, until it is killed: orders, eUICC data, requests of one item and of
 * many, repeats of what earlier lives asked, reports, orders that end, wrapping keys that take each other's place, revocation
 * lists, the audit log. Tells on standard output that it is up, of each thing that it did, and of each error that is neither a refusal nor passing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, Refusal } from '../../shared/errors.ts';
import { messageOf } from '../../shared/events/error-record.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { openRuntime } from '../../shared/runtime.ts';
import { parseRuntimeConfig } from '../../shared/runtime-config.ts';
import { closeLane } from '../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { Reaper } from '../../shared/service/life/reaper.ts';
import { decodeBppBatch, encodeBppRequest, encodeProfileLoadingReport } from '../../sim/index.ts';
import { DEVICE_MAKER, EUM, OPERATOR } from '../support/deployment.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { batchFile, crlFile, eidsFile, ORDERS_OF_A_LIFE, orderIdOf, wrappingKeyUri } from './drill-files.ts';

const [, , folder, lifeText] = process.argv as [string, string, string, string];
const life = Number(lifeText);
const configFile = join(folder, 'config.json');
const below = randomNumbers(life + 1);
const runtime = await openRuntime(parseRuntimeConfig(readFileSync(configFile, 'utf8'), configFile), {
  lanes: 'inline',
});
const { services, context, trustAdministration, wrappingRotation, audit } = runtime;
process.stdout.write('up\n');

async function again(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await attempt(work);
    await new Promise((resolve) => setTimeout(resolve, below(20)));
  }
}

/** What is refused, and what may pass, is no fault. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
    process.stdout.write('did\n');
  } catch (error) {
    const passes = error instanceof Refusal || (error instanceof Fault && error.retryable);
    if (!passes)
      process.stdout.write(
        `fault ${messageOf(error)} ${String((error as Error).stack)}\n`.replaceAll('\n', ' | ').concat('\n'),
      );
  }
}

const recentLife = () => Math.max(0, life - below(4));
let ordered = 0;

async function order(): Promise<void> {
  const orderId = orderIdOf(life, ordered++ % ORDERS_OF_A_LIFE);
  const digits = String(Number.parseInt(createHash('sha256').update(orderId).digest('hex').slice(0, 8), 16));
  await services.orders.prepareProfiles(OPERATOR, {
    orderId,
    profileType: 'drill',
    quantity: ordered === 1 ? 24 : 1 + below(40),
    requesterDms: [DEVICE_MAKER.identifier],
    template: ownTemplate(),
    personalisation: { iccidStart: `89${digits.padStart(10, '0')}000000`, keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  });
  if (below(4) > 0) return;
  const ended = { orderId: orderIdOf(recentLife(), below(ORDERS_OF_A_LIFE)) };
  await (below(2) === 0
    ? services.orders.closeOrder(OPERATOR, ended)
    : services.orders.cancelOrder(OPERATOR, ended));
}

let registered = 0;
async function register(): Promise<void> {
  const file = batchFile(folder, registered++ === 0 ? life : recentLife());
  if (existsSync(file)) await services.ingest.registerEuiccData(EUM, readFileSync(file));
}

/** The same for the same life and number, whoever asks: a repeat. */
function requestOf(ofLife: number, number: number) {
  const roll = randomNumbers(ofLife * 1_000 + number + 7);
  const file = eidsFile(folder, roll(4) === 0 ? Math.max(0, ofLife - 1) : ofLife);
  if (!existsSync(file)) return undefined;
  const eids = JSON.parse(readFileSync(file, 'utf8')) as string[];
  const count = roll(2) === 0 ? 1 : 2 + roll(14);
  const first = roll(eids.length);
  const requestId = createHash('sha256').update(`${ofLife} ${number}`).digest().subarray(0, 8);
  return encodeBppRequest({
    requestId,
    orderId: orderIdOf(ofLife, roll(3) === 0 ? roll(ORDERS_OF_A_LIFE) : 0),
    items: Array.from({ length: count }, (_, i) => ({
      itemId: i + 1,
      eid: eids[(first + i) % eids.length]!,
      additional: true,
    })),
  });
}

let requested = 0;
async function request(): Promise<void> {
  const repeated = below(3) === 0;
  const der = repeated ? requestOf(recentLife(), below(20)) : requestOf(life, requested++);
  if (der === undefined) return;
  const { bppBatch } = await services.delivery.requestBpp(DEVICE_MAKER, der);
  if (bppBatch === undefined) return;
  for (const { eid, bound } of decodeBppBatch(bppBatch).items)
    if (bound !== undefined) loaded.push({ transactionId: bound.transactionId, eid });
}

/** What came out of the factory's line and is not reported yet. */
const loaded: { transactionId: Uint8Array; eid: string }[] = [];

/** Words of the factory alone, some of them twice: they change states and counts as the results of eUICCs do. */
async function report(): Promise<void> {
  const items = loaded
    .slice(0, 1 + below(12))
    .map((one) => ({ fpaError: { ...one, cause: 'damaged' as const } }));
  if (items.length === 0) return;
  if (below(3) > 0) loaded.splice(0, items.length);
  const der = encodeProfileLoadingReport({ reportId: randomBytes(8), items });
  await services.reports.sendProfileLoadingReport(DEVICE_MAKER, der);
}

let rotated = false;
let crl = 2;
async function administer(): Promise<void> {
  const what = below(6);
  if (what === 0 && !rotated) {
    rotated = true;
    await context.keyAssignments.assign('wrapping', wrappingKeyUri(folder, life), 'drill');
  } else if (what === 1) await wrappingRotation.rewrap();
  else if (what === 2) await trustAdministration.addCrl(readFileSync(crlFile(folder, crl++)), [], 'drill');
  else if (what === 3) await audit.chain();
  else if (what === 4) await audit.archive();
  else await new Reaper(context, closeLane).round();
}

await runtime.work.resume();
for (const work of [order, register]) await attempt(work);
for (const work of [request, request, request, order, register, report, administer]) void again(work);
