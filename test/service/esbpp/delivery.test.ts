import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import { decodeBatchManifest } from '../../../shared/ifpp-draft1/batch-manifest.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { jobChains } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import {
  assembleBppBatch,
  type BppItem,
  decodeBppBatch,
  decodeBppItem,
  type EcPoint,
  generateKey,
  type PersonalisedEuicc,
  parseCertificate,
  SimEum,
} from '../../../sim/index.ts';
import { reproveKeys } from '../../../sim/misuse.ts';
import { caller, DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import {
  boundOf,
  outcomesOf,
  positionsOf,
  prepare,
  Request,
  register,
  registered,
  triplesOf,
} from '../scenario.ts';

const OTHER_MAKER = caller('2.999.51', 'deviceMaker');
const BOTH_MAKERS = { requesterDms: [DEVICE_MAKER.identifier, OTHER_MAKER.identifier] };

let deployment: Deployment;
let orders = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});

afterAll(() => deployment?.close());

const newOrder = () => `ORD-${orders++}`;

const eids = (euiccs: readonly PersonalisedEuicc[]) => euiccs.map(({ eid }) => ({ eid }));

describe('a request for BPPs', { tags: ['I4', 'ESBPP01'] }, () => {
  it('sent by five callers at once is one job: five answers alike, one profile an item (I4)', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 10);
    const request = new Request(orderId, eids(await registered(deployment, 4)));
    const answers = await Promise.all(Array.from({ length: 5 }, () => request.send(deployment.runtime)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(boundOf(answers[0])).toHaveLength(4);
    expect(await positionsOf(deployment.runtime, orderId)).toEqual({
      supply: [4, 5, 6, 7, 8, 9],
      returned: [],
      bound: [0, 1, 2, 3],
    });
  });

  it('with the requestId of another body is refused, and spends nothing', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 4);
    const [one, other] = await registered(deployment, 2);
    const first = new Request(orderId, eids([one!]));
    const answer = await first.send(deployment.runtime);
    const second = new Request(orderId, eids([other!]), { id: first.id });
    await expect(second.send(deployment.runtime)).rejects.toMatchObject({ code: 'requestChanged' });
    expect((await positionsOf(deployment.runtime, orderId)).bound).toEqual([0]);
    expect(await first.send(deployment.runtime)).toEqual(answer);
  });

  it('with the requestId of another device manufacturer is another request', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 4, BOTH_MAKERS);
    const makers = BOTH_MAKERS.requesterDms;
    const [one, other] = await registered(deployment, 2, { makers });
    const first = new Request(orderId, eids([one!]));
    const second = new Request(orderId, eids([other!]), { id: first.id, by: OTHER_MAKER });
    const triples = [
      ...triplesOf(await first.send(deployment.runtime)),
      ...triplesOf(await second.send(deployment.runtime)),
    ];
    expect(new Set(triples).size).toBe(2);
  });

  it('draws from no order that is unknown, of other makers, or over', { tags: ['MCE01', 'I7'] }, async () => {
    const items = eids(await registered(deployment, 1));
    const foreign = newOrder();
    await prepare(deployment, foreign, 1, { requesterDms: [OTHER_MAKER.identifier] });
    const over = newOrder();
    await prepare(deployment, over, 1);
    await deployment.runtime.services.orders.cancelOrder(OPERATOR, { orderId: over });
    const codes = { 'no-such': 'orderUnknown', [foreign]: 'orderUnknown', [over]: 'orderExpired' };
    for (const [orderId, code] of Object.entries(codes))
      await expect(new Request(orderId, items).send(deployment.runtime)).rejects.toMatchObject({ code });
  });

  it('gets the ICCIDs that it names, each once and only of its own order', async () => {
    const [orderId, foreign] = [newOrder(), newOrder()];
    const iccids = await prepare(deployment, orderId, 5);
    const [theirs] = await prepare(deployment, foreign, 1);
    const euiccs = await registered(deployment, 5);
    const wishes = [iccids[3]!, theirs!, iccids[3]!, undefined, iccids[0]!];
    const items = euiccs.map(({ eid }, i) => ({
      eid,
      ...(wishes[i] === undefined ? {} : { iccid: wishes[i] }),
    }));
    const answer = await new Request(orderId, items).send(deployment.runtime);
    expect(outcomesOf(answer)).toEqual(['bound', 'iccidUnknown', 'iccidInUse', 'bound', 'bound']);
    expect(boundOf(answer).map(({ bound }) => bound.iccid)).toEqual([iccids[3], iccids[1], iccids[0]]);
    const late = new Request(orderId, [{ eid: euiccs[1]!.eid, iccid: iccids[0]! }]);
    expect(outcomesOf(await late.send(deployment.runtime))).toEqual(['iccidOtherEid']);
    const again = new Request(orderId, [{ eid: euiccs[4]!.eid, iccid: iccids[0]!, additional: true }]);
    expect(outcomesOf(await again.send(deployment.runtime))).toEqual(['noNewBinding']);
    expect(await positionsOf(deployment.runtime, orderId)).toEqual({
      supply: [2, 4],
      returned: [],
      bound: [0, 1, 3],
    });
    await deployment.runtime.services.orders.cancelOrder(OPERATOR, { orderId, iccid: iccids[4]! });
    const gone = new Request(orderId, [{ eid: euiccs[1]!.eid, iccid: iccids[4]! }]);
    expect(outcomesOf(await gone.send(deployment.runtime))).toEqual(['iccidInUse']);
  });

  it('gets an additional profile for an EID only where it says so, each with a key of its own', {
    tags: ['EUICCF01'],
  }, async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 9);
    const [euicc] = await registered(deployment, 1, { keys: 3 });
    const { eid } = euicc!;
    const one = await new Request(orderId, [{ eid }]).send(deployment.runtime);
    const plain = await new Request(orderId, [{ eid }]).send(deployment.runtime);
    const more = new Request(
      orderId,
      [1, 2, 3].map(() => ({ eid, additional: true })),
    );
    const additional = await more.send(deployment.runtime);
    expect(outcomesOf(plain)).toEqual(['noNewBinding']);
    expect(outcomesOf(additional)).toEqual(['bound', 'bound', 'oneTimeKeyUnavailable']);
    expect(
      new Set([...triplesOf(one), ...triplesOf(additional)].map((triple) => triple.split(' ')[2])).size,
    ).toBe(3);
  });

  it('is refused item by item when the order is exhausted; what is given back serves the next', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 2);
    const [one, other, third] = await registered(deployment, 3);
    const unknown = deployment.eum.personalise();
    const answer = await new Request(orderId, eids([one!, unknown, other!])).send(deployment.runtime);
    expect(outcomesOf(answer)).toEqual(['bound', 'eidUnknown', 'profileTypeExhausted']);
    const next = await new Request(orderId, eids([third!, other!])).send(deployment.runtime);
    expect(outcomesOf(next)).toEqual(['bound', 'profileTypeExhausted']);
  });

  it('may be repeated after an attempt that lost has added a certificate chain (I4)', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 2);
    const request = new Request(orderId, eids(await registered(deployment, 2)));
    const answer = await request.send(deployment.runtime);
    const { ledger } = deployment.runtime.context;
    const item = (await ledger.get(ledgerKeys.jobChains(request.jobId('test'))))!;
    const { chains } = jobChains.from(item);
    const attributes = jobChains.to({ chains: [...chains, { ...chains[0]!, smdpOid: '2.999.77' }] });
    await ledger.write({ put: item, attributes, when: { revision: item.revision } });
    expect(await request.send(deployment.runtime)).toEqual(answer);
  });
});

describe('eUICC data inside a request (path B)', { tags: ['ESBPP02', 'I6', 'I7'] }, () => {
  it('is refused entry by entry, and its items with the same code', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 5);
    const [good, victim] = [deployment.eum.personalise(), deployment.eum.personalise()];
    await register(deployment, [victim]);
    const thief = reproveKeys(deployment.eum.personalise(), victim);
    const liar = deployment.eum.personalise();
    const forged = {
      ...liar,
      oneTimeKeys: good.oneTimeKeys.map((key) => ({ ...key, key: generateKey('p256') })),
    };
    const euiccData = deployment.eum.euiccDataBatch([good, thief, forged]);
    const request = new Request(orderId, eids([good, thief, forged]), { euiccData });
    const answer = await request.send(deployment.runtime);
    expect(outcomesOf(answer)).toEqual(['bound', 'oneTimeKeyInUse', 'oneTimeKeyProofInvalid']);
    expect(await request.send(deployment.runtime)).toEqual(answer);
  });

  it('gives no device manufacturer an EID that another one is entitled to (I7)', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 5, BOTH_MAKERS);
    const [euicc] = await registered(deployment, 1);
    const fresh = { ...euicc!, oneTimeKeys: [...euicc!.oneTimeKeys, ...moreKeys(euicc!)] };
    for (const forwarded of [euicc!, fresh]) {
      const euiccData = deployment.eum.euiccDataBatch([forwarded]);
      const request = new Request(orderId, eids([euicc!]), { by: OTHER_MAKER, euiccData });
      expect(outcomesOf(await request.send(deployment.runtime))).toEqual(['eidBoundElsewhere']);
    }
    const own = await new Request(orderId, eids([euicc!])).send(deployment.runtime);
    expect(outcomesOf(own)).toEqual(['bound']);
  });

  it('entitles the first maker that brings it, and no second one', async () => {
    const orderId = newOrder();
    await prepare(deployment, orderId, 5, BOTH_MAKERS);
    const euicc = deployment.eum.personalise({ keys: 2 });
    const euiccData = deployment.eum.euiccDataBatch([euicc]);
    const first = await new Request(orderId, eids([euicc]), { euiccData }).send(deployment.runtime);
    const second = new Request(orderId, [{ eid: euicc.eid, additional: true }], {
      by: OTHER_MAKER,
      euiccData,
    });
    expect(outcomesOf(first)).toEqual(['bound']);
    expect(outcomesOf(await second.send(deployment.runtime))).toEqual(['eidBoundElsewhere']);
  });

  /** Further one-time keys of the same eUICC, proved by itself. */
  function moreKeys(euicc: PersonalisedEuicc) {
    return reproveKeys(euicc, deployment.eum.personalise()).oneTimeKeys;
  }
});

describe('a large answer with BPPs', { tags: ['A2-BULK', 'DPFF04', 'I6', 'I7', 'MCE02'] }, () => {
  let large: Deployment;
  let otherEum: SimEum;
  let deliveryKey: EcPoint;

  beforeAll(async () => {
    large = await Deployment.create({ config: { inlineLimit: 20_000, chunkSize: 4, packSize: 8 } });
    otherEum = SimEum.create({ ci: large.ci, firstSerial: 500 });
    await allowOtherEum();
    const { publicKey } = await large.runtime.keys.openSigningKey(large.config.keys.delivery, 'delivery');
    deliveryKey = { curve: 'p256', point: publicKey.subarray(-65) };
  });

  afterAll(() => large?.close());

  const allowOtherEum = () =>
    large.runtime.trustAdministration.allowEum(otherEum.ca.certificate, { party: EUM.identifier }, 'test');

  /** Ten eUICCs, the even ones of the other EUM; their request, answered. */
  async function answered(): Promise<{ request: Request; answer: BppAnswer; euiccs: PersonalisedEuicc[] }> {
    const orderId = newOrder();
    await prepare(large, orderId, 10);
    const euiccs = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? otherEum : large.eum).personalise());
    const deviceManufacturers = [DEVICE_MAKER.identifier];
    for (const [i, eum] of [otherEum, large.eum].entries()) {
      const batch = eum.euiccDataBatch(
        euiccs.filter((_, n) => n % 2 === i),
        { deviceManufacturers },
      );
      expect(await large.runtime.services.ingest.registerEuiccData(EUM, batch)).toMatchObject({
        rejected: [],
      });
    }
    const request = new Request(orderId, eids(euiccs));
    let answer = await request.send(large.runtime);
    while (answer.state === 'Pending') {
      await new Promise((resolve) => setTimeout(resolve, 10));
      answer = await request.fetch(large.runtime);
    }
    return { request, answer, euiccs };
  }

  /** The parts by name, fetched as the device manufacturer fetches them. */
  async function download({ request, answer }: { request: Request; answer: BppAnswer }) {
    const octets = new Map<string, Uint8Array>();
    for (const part of answer.parts!) {
      const link = { requestId: request.hex, name: part.name };
      const { size, sha256 } = await large.runtime.services.transfers.getTransfer(request.by, link);
      expect({ size, sha256 }).toEqual({ size: part.size, sha256: part.sha256 });
      octets.set(part.name, await large.runtime.context.vault.get(part));
    }
    return octets;
  }

  /** The whole batch, put together by the receiver's own code under the delivery key. */
  async function assembled(given: { request: Request; answer: BppAnswer }) {
    const octets = await download(given);
    return decodeBppBatch(assembleBppBatch(given.answer.manifest!, (name) => octets.get(name)!, deliveryKey));
  }

  it('is a signed manifest and its parts, which make the batch', async () => {
    const given = await answered();
    expect(given.answer.bppBatch).toBeUndefined();
    expect(given.answer.parts).toHaveLength(3);
    const { items } = await assembled(given);
    expect(items.map(({ itemId, eid }) => ({ itemId, eid }))).toEqual(
      given.euiccs.map(({ eid }, i) => ({ itemId: i + 1, eid })),
    );
    expect(new Set(items.map(({ bound }) => bound!.iccid)).size).toBe(10);
    expect(await given.request.send(large.runtime)).toEqual(given.answer);
  });

  it('does not pass with another part or under another key', async () => {
    const given = await answered();
    const octets = await download(given);
    const [first] = octets.values();
    const { manifest } = given.answer;
    expect(() => assembleBppBatch(manifest!, () => first!, deliveryKey)).toThrow(
      'not the one of the manifest',
    );
    expect(() => assembleBppBatch(manifest!, (name) => octets.get(name)!, generateKey('p256'))).toThrow(
      'not signed by the delivery key',
    );
  });

  it('has an index whose offsets lead to each bound item', async () => {
    const given = await answered();
    await expectIndex(given);
  });

  async function expectIndex(given: { request: Request; answer: BppAnswer }): Promise<number> {
    const octets = await download(given);
    let entries = 0;
    for (const { name, index } of decodeBatchManifest(given.answer.manifest!).parts) {
      for (const { eid, transactionId, offset, length } of index) {
        const item = decodeBppItem(octets.get(name)!.subarray(offset, offset + length));
        expect({ eid: item.eid, id: toHex(item.bound!.transactionId) }).toEqual({ eid, id: transactionId });
        entries += 1;
      }
    }
    return entries;
  }

  it('withholds what was revoked since it was bound, and delivers the rest (I6)', async () => {
    const given = await answered();
    const whole = await download(given);
    const eumKeyId = await allowOtherEum();
    await large.runtime.trustAdministration.revokeEum(eumKeyId, 'test');
    const answer = await given.request.fetch(large.runtime);
    expect(answer.failed.map(({ itemId, code }) => [itemId, code])).toEqual(
      [1, 3, 5, 7, 9].map((itemId) => [itemId, 'eumNotAllowed']),
    );
    const { items } = await assembled({ request: given.request, answer });
    expect(items.map(({ bound }) => bound !== undefined)).toEqual(items.map((_, i) => i % 2 === 1));
    expect(items[0]!.failed).toMatchObject({ subjectCode: '8.1.2', reasonCode: '3.8' });
    expect(await expectIndex({ request: given.request, answer })).toBe(5);

    // the parts that hold the withheld items are not to be had any more
    for (const name of whole.keys()) {
      const link = { requestId: given.request.hex, name };
      await expect(large.runtime.services.transfers.getTransfer(DEVICE_MAKER, link)).rejects.toMatchObject({
        code: 'requestUnknown',
      });
    }
    // and when the EUM is trusted again, the answer is what it was
    await allowOtherEum();
    expect(await given.request.fetch(large.runtime)).toEqual(given.answer);
  });

  it('is for its own device manufacturer alone (I7)', async () => {
    const { request, answer } = await answered();
    const link = { requestId: request.hex, name: answer.parts![0]!.name };
    const { transfers, delivery } = large.runtime.services;
    await expect(transfers.getTransfer(OTHER_MAKER, link)).rejects.toMatchObject({ code: 'requestUnknown' });
    await expect(delivery.getBppBatch(OTHER_MAKER, { requestId: request.hex })).rejects.toMatchObject({
      code: 'requestUnknown',
    });
    for (const name of [
      '',
      `requests/${request.jobId('test')}`,
      `parts/${request.jobId('test')}/0`,
      `${link.name}x`,
    ])
      await expect(transfers.getTransfer(DEVICE_MAKER, { ...link, name })).rejects.toMatchObject({
        code: 'requestUnknown',
      });
  });

  it('withheld for one reason and then for another, keeps index and parts together', async () => {
    const given = await answered();
    const eumKeyId = await allowOtherEum();
    await large.runtime.trustAdministration.revokeEum(eumKeyId, 'test');
    const first = await given.request.fetch(large.runtime);
    await allowOtherEum();
    const revoked = [parseCertificate(otherEum.ca.certificate).serialNumber];
    await large.runtime.trustAdministration.addCrl(large.ci.issueCrl({ revoked, number: 2 }), [], 'test');
    const second = await given.request.fetch(large.runtime);
    expect(second.failed.map(({ itemId, code }) => [itemId, code])).toEqual(
      [1, 3, 5, 7, 9].map((itemId) => [itemId, 'eumCertificateExpired']),
    );
    expect(second.parts!.map(({ name }) => name)).not.toEqual(first.parts!.map(({ name }) => name));
    for (const answer of [first, second])
      expect(itemCodes(await unchecked(answer))).toEqual(itemCodesOf(answer));
    expect(await expectIndex({ request: given.request, answer: second })).toBe(5);
  });

  /** What the parts of an answer say of their withheld items, whether or not they may still be fetched. */
  async function unchecked({ manifest, parts }: BppAnswer) {
    const octets = new Map<string, Uint8Array>();
    for (const part of parts!) octets.set(part.name, await large.runtime.context.vault.get(part));
    return decodeBppBatch(assembleBppBatch(manifest!, (name) => octets.get(name)!, deliveryKey)).items;
  }
  const itemCodes = (items: readonly BppItem[]) =>
    items.flatMap(({ itemId, failed }) =>
      failed ? [`${itemId} ${failed.subjectCode}/${failed.reasonCode}`] : [],
    );
  const itemCodesOf = ({ failed }: BppAnswer) =>
    failed.map(({ itemId, subjectCode, reasonCode }) => `${itemId} ${subjectCode}/${reasonCode}`);
});
