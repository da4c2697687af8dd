import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { readTlvHeader, splitElements, tlv } from '../../../shared/codec/tlv.ts';
import { encodeProfileLoadingReport } from '../../../shared/ifpp-draft1/profile-loading-report.ts';
import type { ItemKey } from '../../../shared/ledger/ledger.ts';
import type { BppAnswer, ReportAnswer } from '../../../shared/service/api/esbpp.ts';
import type { TransferPurpose } from '../../../shared/service/api/transfers.ts';
import { Requests } from '../../../shared/service/esbpp/requests.ts';
import { IngestService } from '../../../shared/service/esed1/ingest.ts';
import { jobRecord } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { Trust } from '../../../shared/service/trust/trust.ts';
import type { ObjectRef } from '../../../shared/vault/vault.ts';
import { DEVICE_MAKER, Deployment } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';
import { receiveUpload } from '../../support/uploads.ts';
import { positionsOf, prepare, Request, registered } from '../scenario.ts';

/** Whatever is larger than this many octets is an upload that is too large to be held. */
const SMALL = 120;

let deployment: Deployment;
/** Octets of whole objects that were read at once, by name. */
const heldWhole = new Map<string, number>();
beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    config: { chunkSize: 3, inlineLimit: SMALL, inlineReport: 2 },
  });
  const { vault } = deployment.runtime.context;
  const get = vault.get.bind(vault);
  vault.get = async (ref, range) => {
    if (range === undefined) heldWhole.set(ref.name, ref.size);
    return await get(ref, range);
  };
});
afterAll(() => deployment?.close());

const uploaded = (purpose: TransferPurpose, content: Bytes): Promise<ObjectRef> =>
  receiveUpload(deployment.runtime, DEVICE_MAKER, purpose, content);

async function done<Answer extends BppAnswer | ReportAnswer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.state !== 'Pending') return answer;
    await delay(20);
  }
}

const send = (content: Bytes | ObjectRef) =>
  done(() => deployment.runtime.services.delivery.requestBpp(DEVICE_MAKER, content));

async function jobOf(request: Request) {
  const jobId = request.jobId(deployment.config.deployment);
  const item = await deployment.runtime.context.ledger.get(ledgerKeys.job(jobId));
  return jobRecord.from(item!);
}

describe('a request that is too large for a call', { tags: ['I4'] }, () => {
  it('becomes the job that it would be within a call, and is never held as a whole', async () => {
    await prepare(deployment, 'UPLOADED', 20);
    const euiccs = await registered(deployment, 16);
    const request = (some: typeof euiccs) =>
      new Request(
        'UPLOADED',
        some.map(({ eid }) => ({ eid })),
      );
    const inCall = request(euiccs.slice(0, 8));
    const asUpload = request(euiccs.slice(8));
    heldWhole.clear();
    const upload = await uploaded('bppRequest', asUpload.der);
    expect(await send(upload)).toMatchObject({ state: 'Done', items: 8, processed: 8, failed: [] });
    expect([...heldWhole.keys()].filter((name) => /upload|request/.test(name))).toEqual([]);
    expect(await send(inCall.der)).toMatchObject({ state: 'Done', items: 8, processed: 8, failed: [] });
    const [other, job] = [await jobOf(inCall), await jobOf(asUpload)];
    expect(job.chunkOffsets).toEqual(other.chunkOffsets);
    expect(job.bodyHash).toBe(createHash('sha256').update(asUpload.der).digest('hex'));
    expect(job.request).toMatchObject({ size: asUpload.der.length, sha256: job.bodyHash });
    expect(job.request?.name).not.toBe(upload.name);

    // the same again within a call is the same request
    expect(await send(asUpload.der)).toMatchObject({ state: 'Done', processed: 8 });
    const changed = new Request('UPLOADED', [{ eid: euiccs[0]!.eid }, ...many(euiccs[0]!.eid, 9)], {
      id: asUpload.id,
    });
    const refused = await refusalOf(send(await uploaded('bppRequest', changed.der)));
    expect(refused.code).toBe('requestChanged');
  });

  it('takes in the eUICC data inside of it slice by slice, and refuses its entries one by one', async () => {
    await prepare(deployment, 'FORWARDED', 6);
    const euiccs = [...deployment.eum.production(4, 1)];
    const [first] = euiccs;
    const euiccData = deployment.eum.euiccDataBatch([...euiccs, first!], {});
    const request = new Request(
      'FORWARDED',
      euiccs.map(({ eid }) => ({ eid })),
      { euiccData },
    );
    heldWhole.clear();
    const answer = await send(await uploaded('bppRequest', request.der));
    expect([...heldWhole.keys()].filter((name) => /upload|request/.test(name))).toEqual([]);
    expect(answer).toMatchObject({ state: 'Done', items: 4, processed: 4 });
    const { refusedData } = await jobOf(request);
    expect(refusedData).toMatchObject([{ eid: first!.eid, refusal: 'eidDuplicate' }]);
  });

  it('is taken on by one read of its record, and so is a repeat of it', async () => {
    await prepare(deployment, 'READ-ONCE', 6);
    const euiccs = await registered(deployment, 4);
    const request = new Request(
      'READ-ONCE',
      euiccs.map(({ eid }) => ({ eid })),
    );
    const upload = await uploaded('bppRequest', request.der);
    const job = ledgerKeys.job(request.jobId(deployment.config.deployment));
    const { context } = deployment.runtime;
    const { ledger } = context;
    const read: string[] = [];
    const { get, getMany } = ledger;
    const see = (keys: readonly ItemKey[]) =>
      read.push(...keys.map(({ partition, sort }) => `${partition} ${sort}`));
    ledger.get = (key) => {
      see([key]);
      return get.call(ledger, key);
    };
    ledger.getMany = (keys) => {
      see(keys);
      return getMany.call(ledger, keys);
    };
    const reads = () => read.splice(0).filter((name) => name === `${job.partition} ${job.sort}`).length;
    const requests = new Requests(context, new IngestService(context, new Trust(context)));
    try {
      const received = await requests.receive(DEVICE_MAKER, upload);
      reads();
      await requests.take(received);
      expect(reads()).toBe(1);
      await requests.take(received);
      expect(reads()).toBe(1);
    } finally {
      Object.assign(ledger, { get, getMany });
    }
    expect(await send(upload)).toMatchObject({ state: 'Done', items: 4, failed: [] });
  });

  it('refuses an item of more than 64 KiB alone, and takes all others', async () => {
    await prepare(deployment, 'LONG-ITEM', 6);
    const euiccs = await registered(deployment, 5);
    const request = new Request(
      'LONG-ITEM',
      euiccs.map(({ eid }) => ({ eid })),
    );
    const { der } = request;
    const fields = splitElements(der.subarray(readTlvHeader(der).headerLength));
    const list = fields.pop()!;
    const items = splitElements(list.subarray(readTlvHeader(list).headerLength));
    items.splice(1, 0, tlv(0x30, tlv(0x80, Buffer.of(99)), tlv(0x9f, Buffer.alloc(100_000))));
    const upload = await uploaded('bppRequest', tlv(0xff61, ...fields, tlv(0xa4, ...items)));
    expect(await send(upload)).toMatchObject({
      ...{ state: 'Done', items: 6, processed: 6 },
      failed: [{ itemId: 99, code: 'protocolFormat' }],
    });
  });

  it('is refused as a whole where it is damaged on its way, and nothing is drawn', async () => {
    const before = await positionsOf(deployment.runtime, 'UPLOADED');
    const request = new Request('UPLOADED', many('89049032123451234512345678901235', 12));
    const upload = await uploaded('bppRequest', request.der);
    const { vault } = deployment.runtime.context;
    const getStream = vault.getStream.bind(vault);
    vault.getStream = async function* (ref) {
      for await (const piece of getStream(ref))
        yield ref.name === upload.name ? piece.subarray(0, -1) : piece;
    };
    try {
      expect((await refusalOf(send(upload))).code).toBe('protocolFormat');
    } finally {
      vault.getStream = getStream;
    }
    expect((await jobOf(request)).planning?.refused?.code).toBe('protocolFormat');
    expect(await positionsOf(deployment.runtime, 'UPLOADED')).toEqual(before);
  });
});

describe('a report that is too large for a call', () => {
  it('is work, sliced as it is read, and is asked about by its first octets alone', async () => {
    const { reports } = deployment.runtime.services;
    const items = Array.from({ length: 7 }, (_, i) => tlv(0xa1, Buffer.alloc(60, i)));
    const upload = await uploaded('profileLoadingReport', encodeProfileLoadingReport('0e01', items));
    heldWhole.clear();
    const sent = () => reports.sendProfileLoadingReport(DEVICE_MAKER, upload);
    const answer = await done(sent);
    expect([...heldWhole.keys()].filter((name) => /upload|report/.test(name))).toEqual([]);
    expect(answer).toMatchObject({
      reportId: '0e01',
      state: 'Done',
      verified: 0,
      noted: 0,
      rejectedCount: 7,
    });
    expect(answer.rejected.map(({ itemIndex }) => itemIndex)).toEqual([0, 1, 2, 3, 4, 5, 6]);

    const { vault } = deployment.runtime.context;
    const getStream = vault.getStream.bind(vault);
    vault.getStream = () => expect.fail('a report that is known is not read again');
    try {
      expect(await sent()).toEqual(answer);
    } finally {
      vault.getStream = getStream;
    }
    const named = reports.sendProfileLoadingReport(DEVICE_MAKER, upload, '0e02');
    expect((await refusalOf(named)).code).toBe('protocolFormat');
  });
});

function many(eid: string, count: number) {
  return Array.from({ length: count }, () => ({ eid }));
}
