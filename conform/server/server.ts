import { SimError } from '../../sim/tlv.ts';
import { type Check, Conformity } from '../conformity.ts';
import { checkCalls } from './calls.ts';
import { checkDeliveryKeys, checkReport, loadAll } from './loading.ts';
import { checkOrder } from './orders.ts';
import { checkPages } from './pages.ts';
import { checkRegistration } from './registration.ts';
import { ask, checkClosedKeys, checkRequest, itemsOf, requestOf } from './requests.ts';
import { SERVER_RULES, type ServerRule } from './rules.ts';
import { type ServerInput, ServerRun, toldOf } from './run.ts';

/**
 * Runs the interface against an SM-DPf, by calls alone: order, eUICC data, request, loading, report, and what has to be
 * refused. It orders ten profiles, registers eUICCs that nobody has, and closes the order at the end.
 */
export async function conformServer(input: ServerInput): Promise<readonly Check[]> {
  const conformity = new Conformity<ServerRule>(SERVER_RULES);
  const run = new ServerRun(input, conformity);
  await stage(run, 'server.call.malformed', () => checkCalls(run));
  await stage(run, 'server.delivery-keys', () => checkDeliveryKeys(run));
  const iccids = await stage(run, 'server.order.prepared', () => checkOrder(run));
  const devices = await stage(run, 'server.register.accepted', () => checkRegistration(run));
  if (iccids === undefined || devices === undefined) {
    skipRest(conformity, 'the order or the eUICC data were not taken');
    return conformity.checks;
  }
  await stage(run, 'server.keys.closed', () => checkClosedKeys(run, devices));
  const bound = await stage(run, 'server.request.batch', () => checkRequest(run, iccids, devices));
  if (bound === undefined) {
    skipRest(conformity, 'no BppBatch came');
    return conformity.checks;
  }
  await stage(run, 'server.pages.root', () => checkPages(run));
  const report = await stage(run, 'server.bpp.installs', () => loadAll(run, devices, bound));
  if (report !== undefined) await stage(run, 'server.report.verified', () => checkReport(run, bound, report));
  await stage(run, 'server.order.closed', () => checkClosedOrder(run, devices.working[0]!));
  return conformity.checks;
}

/** A counterpart that cannot go on is a finding of the rule that this stage is about; a lost connection is not ours. */
async function stage<T>(run: ServerRun, id: ServerRule, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    run.conformity.failed(id, 'the run', 'an answer that a counterpart can go on with', error.message);
    return undefined;
  }
}

function skipRest(conformity: Conformity<ServerRule>, why: string): void {
  conformity.skip(why, ...(Object.keys(SERVER_RULES) as ServerRule[]));
}

async function checkClosedOrder(
  run: ServerRun,
  euicc: Parameters<typeof requestOf>[1][number],
): Promise<void> {
  const id = 'server.order.closed';
  const { operator, orderId, conformity } = run;
  const closed = await operator.client.call('es2f', 'closeOrder', { orderId });
  if (run.executed(id, 'es2f.closeOrder', closed) === undefined) return;
  const request = requestOf(run, [euicc]);
  const items = request.items.map((item) => ({ ...item, additional: true }));
  const answer = await ask(run, { ...request, items });
  run.seen('esbpp.requestBpp for a closed order', answer);
  const [item] = itemsOf(answer.body);
  const codes =
    item?.failed === undefined
      ? `${answer.subjectCode}/${answer.reasonCode}`
      : `${item.failed.subjectCode}/${item.failed.reasonCode}`;
  const holds = codes === '8.8.5/4.10' && item?.bound === undefined;
  conformity.check(id, holds, 'esbpp.requestBpp for a closed order', '8.8.5/4.10', () =>
    item?.bound === undefined ? `${toldOf(answer)}, item ${codes}` : 'bound',
  );
}
