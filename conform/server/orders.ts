import { type JsonObject, stringAt } from '../../sim/http.ts';
import type { ProfileOrder } from '../../sim/operator.ts';
import { listAt, type ServerRun, toldOf } from './run.ts';

export const QUANTITY = 10;

/** The last digit of an ICCID (ITU-T E.118): the Luhn digit over those before it. */
export function withLuhn(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

/** Orders the profiles of the run; undefined where that does not work, with the ICCIDs otherwise. */
export async function checkOrder(run: ServerRun): Promise<readonly string[] | undefined> {
  const { conformity, orderId, input, iccidStart, operator } = run;
  const order: ProfileOrder = {
    orderId,
    profileType: 'conform',
    quantity: QUANTITY,
    requesterDms: [input.maker.functionRequesterIdentifier],
    template: input.template,
    personalisation: { iccidStart, imsiStart: '001010000000001', keys: 'generate' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Conformance', profileClass: 'operational' },
    outputKey: run.outputKey.jwk,
  };
  const call = (changed: Partial<ProfileOrder> = {}) => {
    const { template, ...members } = { ...order, ...changed };
    return operator.client.submit('es2f', 'prepareProfiles', 'template', template, members);
  };
  const first = run.executed('server.order.prepared', 'es2f.prepareProfiles', await call());
  if (first === undefined) return undefined;
  const settled = await run.settled(() => status(run));
  const body = run.executed('server.order.prepared', 'es2f.getOrderStatus', settled);
  if (body === undefined) return undefined;
  const expected = Array.from({ length: QUANTITY }, (_, at) =>
    withLuhn(String(BigInt(iccidStart) + BigInt(at))),
  );
  const iccids = listAt(body, 'items').map((item) => stringAt(item, 'iccid') ?? '');
  const isWhole = iccids.length === QUANTITY && expected.every((iccid) => iccids.includes(iccid));
  conformity.check(
    'server.order.prepared',
    isWhole && stringAt(body, 'state') === 'Open',
    'es2f.getOrderStatus',
    `Open, ICCIDs ${expected[0]} to ${expected.at(-1)}`,
    `${stringAt(body, 'state')}, ${iccids.length} ICCIDs ${iccids[0]} to ${iccids.at(-1)}`,
  );
  const again = await call();
  run.seen('es2f.prepareProfiles once more', again);
  conformity.check(
    'server.order.repeat',
    again.status.startsWith('Executed') && stringAt(again.body, 'orderId') === stringAt(first, 'orderId'),
    'es2f.prepareProfiles once more',
    'as the first time',
    toldOf(again),
  );
  run.refused(
    'server.order.changed',
    'es2f.prepareProfiles, another quantity',
    '1.6/3.11',
    await call({ quantity: 3 }),
  );
  const unknown = { orderId: `${orderId}-NONE` };
  run.refused(
    'server.order.unknown',
    'es2f.getOrderStatus of an order that does not exist',
    '8.8.5/3.9',
    await operator.client.call('es2f', 'getOrderStatus', unknown),
  );
  await checkOutput(run, expected);
  return isWhole ? expected : undefined;
}

/** What goes to the Operator's HSS, opened with the Operator's own key. */
async function checkOutput(run: ServerRun, iccids: readonly string[]): Promise<void> {
  const rows: string[] = [];
  for await (const pack of run.operator.orderOutput(run.orderId, run.outputKey.privateJwk))
    rows.push(...pack.split('\n').filter((line) => line !== ''));
  const missing = iccids.filter((iccid) => !rows.some((row) => row.includes(`"${iccid}"`)));
  run.conformity.check(
    'server.order.output',
    rows.length === iccids.length && missing.length === 0,
    'es2f.getOrderOutput',
    `${iccids.length} rows, each with its ICCID`,
    `${rows.length} rows, ${missing.length} ICCIDs without one`,
  );
}

export const status = ({ operator, orderId }: ServerRun) =>
  operator.client.call('es2f', 'getOrderStatus', { orderId, limit: 1000 });

/** Each profile of the order with its state and its EID. */
export async function statesOf(run: ServerRun): Promise<ReadonlyMap<string, JsonObject>> {
  const { body } = await status(run);
  return new Map(listAt(body, 'items').map((item) => [stringAt(item, 'iccid') ?? '', item]));
}
