import { randomBytes } from 'node:crypto';
import { type Bytes, equal, toHex } from '../../shared/codec/bytes.ts';
import { parseCertificate, subjectKeyIdentifier } from '../../sim/certificate.ts';
import { checkDpPbChain, parseChain } from '../../sim/chain.ts';
import type { PersonalisedEuicc } from '../../sim/eum.ts';
import { type FunctionAnswer, type JsonObject, stringAt } from '../../sim/http.ts';
import {
  type BppBatch,
  type BppItem,
  type BppRequest,
  decodeBppBatch,
  encodeBppRequest,
  type RequestItem,
} from '../../sim/ifpp-draft1.ts';
import { readAll, readHeader, readTlv, SimError } from '../../sim/tlv.ts';
import type { Devices } from './registration.ts';
import { codesOf, listAt, type ServerRun, toldOf } from './run.ts';

/** What was bound in the run. */
export interface Bound {
  /** The BppBatch (FF62) as it came. */
  readonly der: Bytes;
  readonly batch: BppBatch;
}

export const requestOf = (run: ServerRun, euiccs: readonly PersonalisedEuicc[]): BppRequest => ({
  requestId: randomBytes(16),
  orderId: run.orderId,
  items: euiccs.map(({ eid }, at): RequestItem => ({ itemId: at + 1, eid })),
});

/** Asks until it is done: getBppBatch where requestBpp was Pending. */
export async function ask(run: ServerRun, request: BppRequest): Promise<FunctionAnswer> {
  const { maker } = run;
  const first = await maker.callRequestBpp(encodeBppRequest(request));
  if (stringAt(first.body, 'state') !== 'Pending') return first;
  const requestId = toHex(request.requestId);
  return await run.settled(() => maker.client.call('esbpp', 'getBppBatch', { requestId }));
}

export async function checkRequest(
  run: ServerRun,
  iccids: readonly string[],
  devices: Devices,
): Promise<Bound | undefined> {
  const euiccs = [...devices.working, devices.unknown];
  const request = requestOf(run, euiccs);
  const answer = await ask(run, request);
  const body = run.executed('server.request.batch', 'esbpp.requestBpp', answer);
  const bound = body === undefined ? undefined : readBatch(run, request, body);
  if (bound === undefined) return undefined;
  checkItems(run, iccids, devices, bound.batch);
  checkChains(run, bound.batch);
  checkUnknown(run, devices, bound.batch, body!);
  const again = await ask(run, request);
  run.seen('esbpp.requestBpp once more', again);
  const repeated = stringAt(again.body, 'bppBatch') ?? '';
  const differs = Buffer.compare(Buffer.from(repeated, 'base64'), Buffer.from(bound.der)) !== 0;
  run.conformity.check(
    'server.request.repeat',
    !differs,
    'esbpp.requestBpp once more',
    `the same ${bound.der.length} octets`,
    again.status.startsWith('Executed') ? 'another BppBatch' : toldOf(again),
  );
  const other = { ...request, items: request.items.slice(0, 1) };
  run.refused('server.request.changed', 'esbpp.requestBpp, other items', '1.6/3.11', await ask(run, other));
  await checkSecond(run, devices, bound.batch);
  return bound;
}

function readBatch(run: ServerRun, request: BppRequest, body: JsonObject): Bound | undefined {
  const { conformity } = run;
  const der = Buffer.from(stringAt(body, 'bppBatch') ?? '', 'base64');
  try {
    const batch = decodeBppBatch(der);
    const wanted = request.items.map(({ itemId, eid }) => `${itemId} ${eid}`).join(', ');
    const seen = batch.items.map(({ itemId, eid }) => `${itemId} ${eid}`).join(', ');
    const holds = equal(batch.requestId, request.requestId) && wanted === seen;
    conformity.check(
      'server.request.batch',
      holds,
      'esbpp.requestBpp',
      `requestId ${toHex(request.requestId)}, items ${wanted}`,
      `requestId ${toHex(batch.requestId)}, items ${seen}`,
    );
    return { der, batch };
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    conformity.failed('server.request.batch', 'esbpp.requestBpp', 'bppBatch: FF62 in base64', error.message);
    return undefined;
  }
}

function checkItems(run: ServerRun, iccids: readonly string[], devices: Devices, { items }: BppBatch): void {
  const { conformity } = run;
  const seen = new Set<string>();
  const once = (value: string): boolean => {
    const isNew = !seen.has(value);
    seen.add(value);
    return isNew;
  };
  for (const { eid, keyIds } of devices.working.map(idsOf)) {
    const item = items.find((one) => one.eid === eid);
    const where = `EID ${eid}`;
    const { bound } = item ?? {};
    conformity.check('server.request.bound', bound !== undefined, where, 'bound', () => outcomeOf(item));
    if (bound === undefined) continue;
    const keyId = toHex(bound.keyId);
    const isOwn = keyIds.includes(keyId) && once(`key ${keyId}`);
    conformity.check('server.request.key', isOwn, where, `one of ${keyIds.join(', ')}`, keyId);
    const isOrdered = iccids.includes(bound.iccid) && once(`iccid ${bound.iccid}`);
    conformity.check('server.request.iccid', isOrdered, where, 'an ICCID of the order, once', bound.iccid);
    const transactionId = toHex(bound.transactionId);
    const inside = transactionIdOf(bound.bpp);
    conformity.check(
      'server.request.transaction',
      inside === transactionId && once(`transaction ${transactionId}`),
      where,
      `${transactionId} in BF23, once in the batch`,
      inside,
    );
  }
}

const idsOf = ({ eid, oneTimeKeys }: PersonalisedEuicc) => ({
  eid,
  keyIds: oneTimeKeys.map(({ keyId }) => toHex(keyId)),
});

const outcomeOf = (item: BppItem | undefined): string =>
  item?.failed === undefined
    ? 'no such item'
    : `failed ${item.failed.subjectCode}/${item.failed.reasonCode} ${item.failed.message ?? ''}`;

function transactionIdOf(bpp: Bytes): string {
  try {
    const fields = readAll(readTlv(bpp, readHeader(bpp).headerLength).value);
    return toHex(fields.find(({ tag }) => tag === 0x80)?.value ?? new Uint8Array());
  } catch (error) {
    if (error instanceof SimError) return error.message;
    throw error;
  }
}

function checkChains(run: ServerRun, { chains, items }: BppBatch): void {
  const { ciPkId } = run.input.simEum;
  const trustedCis = run.input.simEum.personalise({ keys: 1 }).trustedCis.map((der) => parseCertificate(der));
  for (const { bound, eid } of items) {
    if (bound === undefined) continue;
    const chain = chains[bound.chain];
    const where = `EID ${eid}, chain ${bound.chain}`;
    const trusted = trustedCis.map((ci) => toHex(subjectKeyIdentifier(ci))).join(' or ');
    try {
      if (chain === undefined) throw new SimError(`there are ${chains.length} chains`);
      checkDpPbChain(chain.ciPkId, parseChain(chain.certificates), { trustedCis, now: new Date() });
      run.conformity.passed('server.request.chain');
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      const expected = `CERT.DPpb, then what is above it, to ${trusted || toHex(ciPkId)}`;
      run.conformity.failed('server.request.chain', where, expected, error.message);
    }
  }
}

function checkUnknown(run: ServerRun, { unknown }: Devices, { items }: BppBatch, body: JsonObject): void {
  const item = items.find(({ eid }) => eid === unknown.eid);
  const codes = item?.failed === undefined ? 'bound' : `${item.failed.subjectCode}/${item.failed.reasonCode}`;
  const told = listAt(body, 'failed').map(codesOf).join(', ');
  run.conformity.check(
    'server.request.unknown-eid',
    codes === '8.1.1/3.9' && told === '8.1.1/3.9',
    `EID ${unknown.eid}`,
    'failed 8.1.1/3.9 in FF62 and in the JSON answer',
    `${codes} in FF62, ${told || 'none'} in the JSON answer`,
  );
}

/** A further request for an EID that has its profile, without additional. */
async function checkSecond(run: ServerRun, { working }: Devices, { items }: BppBatch): Promise<void> {
  const [first] = working;
  const answer = await ask(run, requestOf(run, [first!]));
  const body = run.executed('server.request.second-profile', 'esbpp.requestBpp for the same EID', answer);
  if (body === undefined) return;
  const before = items.find(({ eid }) => eid === first!.eid)?.bound?.iccid;
  const [item] = itemsOf(body);
  const iccid = item?.bound?.iccid;
  run.conformity.check(
    'server.request.second-profile',
    item !== undefined && (iccid === undefined || iccid === before),
    `EID ${first!.eid}`,
    `failed, or ICCID ${before} again`,
    iccid ?? 'no item',
  );
  const unknown = { ...requestOf(run, [first!]), orderId: `${run.orderId}-NONE` };
  const call = 'esbpp.requestBpp for an order that does not exist';
  run.refused('server.request.unknown-order', call, '8.8.5/3.9', await ask(run, unknown));
}

/** Items of the BppBatch in an answer; none where it cannot be read. */
export function itemsOf(body: JsonObject): readonly BppItem[] {
  try {
    return decodeBppBatch(Buffer.from(stringAt(body, 'bppBatch') ?? '', 'base64')).items;
  } catch (error) {
    if (error instanceof SimError) return [];
    throw error;
  }
}

/** Keys that the EUM closed are bound to nothing. */
export async function checkClosedKeys(run: ServerRun, { closed }: Devices): Promise<void> {
  const id = 'server.keys.closed';
  const answer = await run.eum.client.call('esed1', 'closeKeys', { items: [{ eid: closed.eid }] });
  const body = run.executed(id, 'esed1.closeKeys', answer);
  if (body === undefined) return;
  run.conformity.check(id, body.closed === 1, 'esed1.closeKeys', '1 closed', JSON.stringify(body.closed));
  const asked = await ask(run, requestOf(run, [closed]));
  const told = run.executed(id, 'esbpp.requestBpp for closed keys', asked);
  if (told === undefined) return;
  const [item] = itemsOf(told);
  run.conformity.check(
    id,
    item?.failed?.subjectCode.startsWith('8.1') === true,
    `EID ${closed.eid}`,
    'failed with 8.1/3.7',
    () => (item?.bound === undefined ? outcomeOf(item) : 'bound'),
  );
}
