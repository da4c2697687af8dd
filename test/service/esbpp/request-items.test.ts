import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, fromHex, toHex } from '../../../shared/codec/bytes.ts';
import { decodeBppRequest, UNREADABLE_EID } from '../../../shared/ifpp-draft1/bpp-request.ts';
import { decodeBppBatch } from '../../../sim/index.ts';
import { tlv } from '../../../sim/tlv.ts';
import { DEVICE_MAKER, Deployment } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';
import { boundOf, positionsOf, prepare, registered } from '../scenario.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { chunkSize: 3 } });
});
afterAll(() => deployment?.close());

const number = (tag: number, value: number) => tlv(tag, Buffer.of(value));
const item = (itemId: number, eid: string, ...more: Bytes[]) =>
  tlv(0x30, number(0x80, itemId), tlv(0x81, fromHex(eid)), ...more);

function requestOf(orderId: string, items: readonly Bytes[], requestId = randomBytes(8)): Bytes {
  return tlv(
    0xff61,
    number(0x80, 1),
    tlv(0x81, requestId),
    tlv(0x82, Buffer.from(orderId)),
    tlv(0xa4, ...items),
  );
}

async function send(der: Bytes) {
  const { delivery } = deployment.runtime.services;
  const { requestId } = decodeBppRequest(der);
  let answer = await delivery.requestBpp(DEVICE_MAKER, der);
  while (answer.state === 'Pending') {
    await delay(20);
    answer = await delivery.getBppBatch(DEVICE_MAKER, { requestId });
  }
  return answer;
}

/** What is wrong behind the itemId, given an EID that could be bound; and whether the answer can still name it. */
const MALFORMED: readonly [string, (itemId: number, eid: string) => Bytes, boolean][] = [
  ['no EID', (id) => tlv(0x30, number(0x80, id)), false],
  [
    'an EID of 15 octets',
    (id, eid) => tlv(0x30, number(0x80, id), tlv(0x81, fromHex(eid).subarray(1))),
    false,
  ],
  ['a keyId of 17 octets', (id, eid) => item(id, eid, tlv(0x82, Buffer.alloc(17, 1))), true],
  ['an ICCID of 9 octets', (id, eid) => item(id, eid, tlv(0x83, Buffer.alloc(9, 0x98))), true],
  ['a BOOLEAN of 01', (id, eid) => item(id, eid, number(0x84, 1)), true],
  ['an unknown field', (id, eid) => item(id, eid, number(0x85, 1)), true],
  ['fields out of order', (id, eid) => item(id, eid, number(0x84, 0xff), tlv(0x82, Buffer.of(1))), true],
  ['a field that reaches beyond the item', (id, eid) => item(id, eid, fromHex('8209aa')), true],
];

describe('an item of a request that is malformed behind its itemId is refused alone', {
  tags: ['I6'],
}, () => {
  it.each(MALFORMED)('%s', async (name, malformed, named) => {
    const orderId = `ORD-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
    await prepare(deployment, orderId, 8);
    const euiccs = await registered(deployment, 5);
    const [a, b, bad, c, d] = euiccs.map(({ eid }) => eid) as [string, string, string, string, string];
    const der = requestOf(orderId, [item(1, a), item(2, b), malformed(3, bad), item(4, c), item(5, d)]);

    const answer = await send(der);
    expect(answer.failed).toEqual([
      expect.objectContaining({ itemId: 3, subjectCode: '1.3.1', reasonCode: '2.1', code: 'protocolFormat' }),
    ]);
    const { items } = decodeBppBatch(answer.bppBatch!);
    expect(items.map(({ itemId, eid }) => [itemId, eid])).toEqual(
      [a, b, named ? bad : UNREADABLE_EID, c, d].map((eid, i) => [i + 1, eid]),
    );
    // position by (job, index): the bad item's is given back, those of the others are where they were
    const { bound, returned } = await positionsOf(deployment.runtime, orderId);
    expect({ bound, returned }).toEqual({ bound: [0, 1, 3, 4], returned: [2] });
    expect(await send(der)).toEqual(answer);

    const once = await send(requestOf(orderId, [item(1, bad)]));
    expect(boundOf(once), 'its one-time key was not spent').toHaveLength(1);
  });

  it('in the second chunk of a job too, with the same offset at every look', async () => {
    await prepare(deployment, 'ORD-CHUNKS', 8);
    const eids = (await registered(deployment, 5)).map(({ eid }) => eid);
    const items = eids.map((eid, i) => (i === 3 ? item(i, eid, number(0x84, 1)) : item(i, eid)));
    const der = requestOf('ORD-CHUNKS', items);
    const answer = await send(der);
    expect(answer.items).toBe(5);
    const { malformed } = decodeBppRequest(der).items[3]!;
    expect(answer.failed).toEqual([expect.objectContaining({ itemId: 3, message: malformed!.message })]);
    expect(malformed!.offset).toBe(Buffer.from(der).indexOf(fromHex('840101')));
  });
});

describe('a malformed request for BPPs is refused as a whole, and nothing is spent', () => {
  const eid = '89049032123451234512345678901235';
  it.each([
    ['an item without an itemId', [item(1, eid), tlv(0x30, tlv(0x81, fromHex(eid)))]],
    ['a negative itemId', [tlv(0x30, number(0x80, 0xff), tlv(0x81, fromHex(eid)))]],
    ['an itemId that occurs twice', [item(1, eid), item(1, eid)]],
    ['an itemId that a malformed item has too', [item(1, eid), tlv(0x30, number(0x80, 1))]],
    ['an item that is no SEQUENCE', [item(1, eid), number(0x80, 2)]],
    ['an item whose frame reaches beyond the list', [item(1, eid), item(2, eid).subarray(0, 12)]],
  ])('%s', async (name, items) => {
    const orderId = `ORD-W${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
    await prepare(deployment, orderId, 1);
    const requestId = randomBytes(8);
    const { delivery } = deployment.runtime.services;
    const refused = await refusalOf(delivery.requestBpp(DEVICE_MAKER, requestOf(orderId, items, requestId)));
    expect(refused).toMatchObject({ code: 'protocolFormat' });
    const asked = delivery.getBppBatch(DEVICE_MAKER, { requestId: toHex(requestId) });
    expect(await refusalOf(asked)).toMatchObject({ code: 'requestUnknown' });
    expect((await positionsOf(deployment.runtime, orderId)).supply).toEqual([0]);
  });
});
