import { randomBytes } from 'node:crypto';
import { type Bytes, equal } from '../../shared/codec/bytes.ts';
import {
  type BppRequest,
  decodeBppBatch,
  encodeBppRequest,
  type FunctionAnswer,
  type PersonalisedEuicc,
} from '../../sim/index.ts';
import { reproveKeys } from '../../sim/misuse.ts';
import type { DemoRecord } from './steps.ts';
import { type Device, MAKER_ID, type World } from './world.ts';

interface Made {
  readonly devices: readonly Device[];
  readonly requests: readonly BppRequest[];
  readonly batches: readonly Bytes[];
  readonly orderId: string;
}

/** What parties may try at the interfaces, and must not get. */
export async function troubleCalls(world: World, record: DemoRecord, made: Made): Promise<void> {
  await troubleRequests(world, record, made);
  await troubleKeys(world, record, made);
}

/** Requests that are repeated, changed, not entitled or not eligible. */
async function troubleRequests(
  { maker, otherMaker, eum }: World,
  record: DemoRecord,
  { devices, requests, batches, orderId }: Made,
): Promise<void> {
  const repeated = await maker.requestBpp(requests[0]!);
  record.trouble(
    'the first request once more',
    'the same octets',
    equal(repeated, batches[0]!) ? 'the same octets' : 'other octets',
  );

  const free = freeDevice(devices);
  const { requestId } = decodeBppBatch(batches[0]!);
  const changed = encodeBppRequest({ requestId, orderId, items: [{ itemId: 0, eid: free.euicc.eid }] });
  record.trouble(
    'another request under the same requestId',
    '1.6/3.11',
    codeOf(await maker.callRequestBpp(changed)),
  );

  const request = (euicc: PersonalisedEuicc) =>
    encodeBppRequest({ requestId: randomBytes(8), orderId, items: [{ itemId: 0, eid: euicc.eid }] });
  record.trouble(
    'a device manufacturer that the order does not name',
    '8.8.5/3.9',
    codeOf(await otherMaker.callRequestBpp(request(free.euicc))),
  );
  record.trouble(
    'a second profile of the order for one device, unasked',
    '8.2/3.7',
    itemCode(await maker.callRequestBpp(request(free.euicc))),
  );
  record.trouble(
    'an eUICC that nobody registered',
    '8.1.1/3.9',
    itemCode(await maker.callRequestBpp(request(eum.personalise({ keys: 1 })))),
  );

  const ineligible = batches
    .flatMap((batch) => decodeBppBatch(batch).items)
    .filter(({ failed }) => failed !== undefined);
  for (const { failed } of ineligible.slice(0, 1)) {
    record.trouble(
      'an eUICC that cannot run the profile',
      '8.2.5/4.3',
      `${failed!.subjectCode}/${failed!.reasonCode} ${failed!.message ?? ''}`,
    );
  }
}

/** One-time keys that are another's, or that nobody proved. */
async function troubleKeys({ eumClient, eum }: World, record: DemoRecord, { devices }: Made): Promise<void> {
  const thief = eum.personalise({ keys: 1 });
  const copied = eum.euiccDataBatch([reproveKeys(thief, freeDevice(devices).euicc)], {
    deviceManufacturers: [MAKER_ID],
  });
  record.trouble(
    "one eUICC's one-time key under another EID",
    '8.1/3.3',
    entryCode(await eumClient.registerEuiccData(copied)),
  );

  const victim = eum.personalise({ keys: 1 });
  const unproved = {
    ...victim,
    oneTimeKeys: victim.oneTimeKeys.map((key) => ({ ...key, proof: randomBytes(64) })),
  };
  const badProof = eum.euiccDataBatch([unproved], { deviceManufacturers: [MAKER_ID] });
  record.trouble(
    'a one-time key without a proof of its eUICC',
    '8.1/6.1',
    entryCode(await eumClient.registerEuiccData(badProof)),
  );
}

const freeDevice = (devices: readonly Device[]) =>
  devices.find(({ trouble, path }) => trouble === undefined && path === 'A') ?? devices[0]!;

const codeOf = ({ status, subjectCode, reasonCode, message }: FunctionAnswer) =>
  subjectCode === undefined ? status : `${subjectCode}/${reasonCode} ${message ?? ''}`;

function itemCode(answer: FunctionAnswer): string {
  return firstCode(answer, 'failed');
}

function entryCode(answer: FunctionAnswer): string {
  return firstCode(answer, 'rejected');
}

function firstCode(answer: FunctionAnswer, list: 'failed' | 'rejected'): string {
  const [first] = (answer.body[list] ?? []) as {
    subjectCode: string;
    reasonCode: string;
    message?: string;
  }[];
  return first === undefined
    ? codeOf(answer)
    : `${first.subjectCode}/${first.reasonCode} ${first.message ?? ''}`;
}
