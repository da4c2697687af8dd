import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/codec/bytes.ts';
import type { OrderInput, ProfileState } from '../../../shared/service/api/es2f.ts';
import { callOfNotice, noticeName } from '../../../shared/service/records/keys.ts';
import { noticeRecord } from '../../../shared/service/records/notice.ts';
import { parseTransactionId, transactionId } from '../../../shared/service/records/transaction-id.ts';
import type { ObjectRef } from '../../../shared/vault/vault.ts';
import {
  type InstallationResult,
  signInstallationResult,
  signOtherNotification,
} from '../../../sim/euicc/results.ts';
import type { EcKey } from '../../../sim/index.ts';
import {
  encodeProfileLoadingReport,
  Factory,
  generateKey,
  type PersonalisedEuicc,
  type ReportItem,
  SoftEuicc,
} from '../../../sim/index.ts';
import { caller, DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { waitingNotices } from '../../support/notices.ts';
import { listedRefusals } from '../../support/openapi.ts';
import {
  type BoundBppItem,
  boundOf,
  noticedState,
  operational,
  positionsOf,
  prepare,
  Request,
  register,
} from '../scenario.ts';

const OTHER_MAKER = caller('2.999.51', 'deviceMaker');
/** Nobody listens there: notices wait in the ledger, where they can be looked at. */
const CALLBACK = 'http://127.0.0.1:9/callback';
const SMDP_OID = '2.999.10';

let deployment: Deployment;

/** What the line of the audit log of this event tells of a profile. */
async function aboutOf(event: string, iccid: string): Promise<object | undefined> {
  const { audit } = deployment.runtime;
  await audit.chain();
  for await (const line of audit.lines())
    if (line.event === event && line.about.iccid === iccid) return line.about;
  return undefined;
}
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});

afterAll(() => deployment?.close());

/** One profile bound to one eUICC, and what can be reported of it. */
class Loaded {
  readonly orderId: string;
  readonly euicc: PersonalisedEuicc;
  readonly item: BoundBppItem;
  readonly batch: Uint8Array;

  constructor(orderId: string, euicc: PersonalisedEuicc, item: BoundBppItem, batch: Uint8Array) {
    this.orderId = orderId;
    this.euicc = euicc;
    this.item = item;
    this.batch = batch;
  }

  static async bind(more: Partial<OrderInput> = {}): Promise<Loaded> {
    const orderId = `ORD-${made++}`;
    await prepare(deployment, orderId, 2, {
      ...more,
      callbackUrl: CALLBACK,
      requesterDms: [DEVICE_MAKER.identifier, OTHER_MAKER.identifier],
    });
    const euicc = deployment.eum.personalise({ keys: 2 });
    await register(deployment, [euicc], [DEVICE_MAKER.identifier, OTHER_MAKER.identifier]);
    const answer = await new Request(orderId, [{ eid: euicc.eid }]).send(deployment.runtime);
    return new Loaded(orderId, euicc, boundOf(answer)[0]!, answer.bppBatch!);
  }

  get transactionId(): Uint8Array {
    return this.item.bound.transactionId;
  }

  get iccid(): string {
    return this.item.bound.iccid;
  }

  /** BF37 as the eUICC, or somebody who is not it, would sign it. */
  result(changes: Partial<InstallationResult> & { iccid?: string } = {}, key: EcKey = this.euicc.key) {
    const { iccid = this.iccid, ...fields } = changes;
    return signInstallationResult(
      {
        transactionId: this.transactionId,
        notification: { seqNumber: 1, event: 'install', address: 'smdpf.example.com', iccid },
        smdpOid: SMDP_OID,
        finalResult: { isdpAid: fromHex('a0000005591010ffffffff8900001000') },
        ...fields,
      },
      key,
    );
  }

  failure() {
    return this.result({
      finalResult: { command: 'loadProfileElements', reason: 'installFailedDueToPEProcessingError' },
    });
  }

  notification(event: 'delete' | 'enable', iccid = this.iccid, key: EcKey = this.euicc.key) {
    const { euiccCert, eumCert } = this.euicc;
    const metadata = { seqNumber: 2, event, address: 'smdpf.example.com', iccid };
    return signOtherNotification(metadata, key, euiccCert, eumCert);
  }

  word(eid = this.euicc.eid): ReportItem {
    return { fpaError: { transactionId: this.transactionId, eid, cause: 'damaged', detail: 'no answer' } };
  }

  async state(): Promise<ProfileState> {
    const status = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, {
      orderId: this.orderId,
    });
    return status.items.find(({ iccid }) => iccid === this.iccid)!.state;
  }

  /** The states that the Operator is told of, in the order of the notices. */
  async told(): Promise<string[]> {
    const prefix = noticeName(this.orderId, toHex(this.transactionId));
    const items = await waitingNotices(deployment.runtime.context.ledger, prefix);
    return items.map((item) => noticedState(noticeRecord.from(item)));
  }
}

const reportOf = (items: readonly ReportItem[], reportId: Uint8Array = randomBytes(8)) =>
  encodeProfileLoadingReport({ reportId, items });

const send = (items: readonly ReportItem[], by = DEVICE_MAKER) =>
  deployment.runtime.services.reports.sendProfileLoadingReport(by, reportOf(items));

const fromField = (der: Uint8Array) => deployment.runtime.services.reports.handleNotification(der);

const codeOf = async (item: ReportItem, by = DEVICE_MAKER) => {
  const { rejected } = await send([item], by);
  const codes = rejected.map(({ code }) => code);
  for (const path of ['esbpp.sendProfileLoadingReport', 'es9plus.handleNotification'] as const)
    for (const code of codes) expect(['protocolFormat', ...listedRefusals(path)]).toContain(code);
  return codes;
};

describe('a loading result that the eUICC signed', { tags: ['DPFF06', 'DPFF07', 'ESBPP03', 'I2'] }, () => {
  it('is verified as a strict eUICC makes it, and the Operator told with the octets received', async () => {
    const loaded = await Loaded.bind(
      operational(`89002000000000${String(10 * made).padStart(4, '0')}`).order,
    );
    const card = SoftEuicc.create(loaded.euicc);
    const journalFile = join(deployment.folder, 'journal');
    const factory = new Factory({ journalFile, reader: () => card });
    const [outcome] = await factory.load(loaded.batch);
    const report = factory.report(randomBytes(8), [loaded.batch]);
    const answer = await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    expect(answer).toMatchObject({ verified: 1, noted: 0, rejected: [] });
    expect(await loaded.state()).toBe('Installed');
    const prefix = noticeName(loaded.orderId, toHex(loaded.transactionId));
    const items = await waitingNotices(deployment.runtime.context.ledger, prefix);
    const { url, content } = noticeRecord.from(items[0]!);
    expect(url).toBe(CALLBACK);
    expect(JSON.parse(content)).toMatchObject({
      header: { functionRequesterIdentifier: SMDP_OID, functionCallIdentifier: callOfNotice(items[0]!.sort) },
      orderId: loaded.orderId,
      iccid: loaded.iccid,
      eid: loaded.euicc.eid,
      profileState: 'Installed',
      notificationPointStatus: { status: 'Executed-Success' },
      resultData: Buffer.from(outcome!.result!).toString('base64'),
    });
  });

  it('counts from the field as well, without a caller', { tags: ['ES9-NOTIFICATION'] }, async () => {
    const loaded = await Loaded.bind();
    await fromField(loaded.result());
    expect(await loaded.state()).toBe('Installed');
  });

  it('of an error makes Failed, with reason and command in words', async () => {
    const loaded = await Loaded.bind();
    expect(await send([{ euiccResult: loaded.failure() }])).toMatchObject({ verified: 1 });
    const status = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, {
      orderId: loaded.orderId,
    });
    expect(status.items.find(({ iccid }) => iccid === loaded.iccid)).toMatchObject({
      state: 'Failed',
      detail: expect.stringMatching(/loadProfileElements/),
    });
    expect(await aboutOf('profile.failed', loaded.iccid)).toMatchObject({
      command: 'loadProfileElements',
      reason: expect.stringMatching(/^\w+$/),
    });
  });

  it('wins late over Failed and Unreported, and the notices stand in order', async () => {
    const loaded = await Loaded.bind();
    await send([loaded.word()]);
    await send([{ euiccResult: loaded.failure() }]);
    await fromField(loaded.result());
    expect(await loaded.state()).toBe('Installed');
    expect(await loaded.told()).toEqual(['Unreported', 'Failed', 'Installed']);
  });

  it('repeated in another report changes and tells nothing', async () => {
    const loaded = await Loaded.bind();
    const item = { euiccResult: loaded.result() };
    expect(await send([item, item])).toMatchObject({ verified: 2, rejected: [] });
    expect(await send([item])).toMatchObject({ verified: 1 });
    await fromField(loaded.result());
    expect(await loaded.told()).toEqual(['Installed']);
  });

  it('of an error after a signed success contradicts it', async () => {
    const loaded = await Loaded.bind();
    await send([{ euiccResult: loaded.result() }]);
    expect(await codeOf({ euiccResult: loaded.failure() })).toEqual(['resultContradicts']);
    await expect(fromField(loaded.failure())).rejects.toMatchObject({ code: 'resultContradicts' });
    expect(await loaded.state()).toBe('Installed');
  });

  it('never returns the position to the pool, good or bad (I2)', async () => {
    const loaded = await Loaded.bind();
    await send([{ euiccResult: loaded.failure() }]);
    expect(await positionsOf(deployment.runtime, loaded.orderId)).toEqual({
      supply: [1],
      returned: [],
      bound: [0],
    });
  });
});

describe('a loading result is refused', { tags: ['DPFF06', 'ES8-RESULT', 'I7'] }, () => {
  it('when another key signed it', async () => {
    const loaded = await Loaded.bind();
    const forged = loaded.result({}, generateKey('p256'));
    expect(await codeOf({ euiccResult: forged })).toEqual(['euiccSignatureInvalid']);
    await expect(fromField(forged)).rejects.toMatchObject({ code: 'euiccSignatureInvalid' });
  });

  it('when another registered eUICC signed it', async () => {
    const [one, other] = [await Loaded.bind(), await Loaded.bind()];
    expect(await codeOf({ euiccResult: one.result({}, other.euicc.key) })).toEqual(['euiccSignatureInvalid']);
  });

  it('when the transaction is another one, was refused, or is not one of ours', async () => {
    const loaded = await Loaded.bind();
    const { jobId } = parseTransactionId(toHex(loaded.transactionId));
    for (const id of [randomBytes(16), randomBytes(4), fromHex(transactionId(jobId, 1))]) {
      const result = loaded.result({ transactionId: id });
      expect(await codeOf({ euiccResult: result })).toEqual(['transactionUnknown']);
    }
    const refused = new Request(loaded.orderId, [{ eid: loaded.euicc.eid }]);
    expect((await refused.send(deployment.runtime)).failed).toMatchObject([{ code: 'noNewBinding' }]);
    const id = fromHex(transactionId(refused.jobId('test'), 0));
    expect(await codeOf({ euiccResult: loaded.result({ transactionId: id }) })).toEqual([
      'transactionUnknown',
    ]);
  });

  it('when another device manufacturer reports it, whatever the signature (I7)', async () => {
    const loaded = await Loaded.bind();
    for (const item of [
      { euiccResult: loaded.result() },
      loaded.word(),
      { otherSigned: loaded.notification('delete') },
    ])
      expect(await codeOf(item, OTHER_MAKER)).toEqual(['transactionUnknown']);
    expect(await loaded.state()).toBe('Delivered');
  });

  it('when it names another ICCID or another SM-DPf', async () => {
    const [loaded, other] = [await Loaded.bind(), await Loaded.bind()];
    expect(await codeOf({ euiccResult: loaded.result({ iccid: other.iccid }) })).toEqual([
      'transactionMismatch',
    ]);
    expect(await codeOf({ euiccResult: loaded.result({ smdpOid: '2.999.11' }) })).toEqual([
      'transactionMismatch',
    ]);
    expect(await loaded.state()).toBe('Delivered');
  });

  it('when it is no loading result at all', async () => {
    await expect(fromField(Buffer.of(0xbf, 0x27, 0x00))).rejects.toMatchObject({ code: 'protocolFormat' });
    await expect(fromField(randomBytes(30))).rejects.toMatchObject({ code: 'protocolFormat' });
    expect(await codeOf({ euiccResult: Buffer.of(0xbf, 0x37, 0x00) })).toEqual(['protocolFormat']);
  });

  it('and leaves no trace: neither state nor notice', async () => {
    const loaded = await Loaded.bind();
    await codeOf({ euiccResult: loaded.result({}, generateKey('p256')) });
    expect(await loaded.state()).toBe('Delivered');
    expect(await loaded.told()).toEqual([]);
  });
});

describe('the word of an FPA', { tags: ['ESBPP03', 'DPFF06'] }, () => {
  it('makes Unreported, once', async () => {
    const loaded = await Loaded.bind();
    expect(await send([loaded.word()])).toMatchObject({ verified: 0, noted: 1 });
    expect(await send([loaded.word()])).toMatchObject({ noted: 1 });
    expect(await loaded.state()).toBe('Unreported');
    expect(await loaded.told()).toEqual(['Unreported']);
    expect(await aboutOf('profile.unreported', loaded.iccid)).toMatchObject({
      cause: expect.stringMatching(/^\w+$/),
    });
  });

  it.each(['result', 'failure'] as const)('changes nothing after a signed %s', async (signed) => {
    const loaded = await Loaded.bind();
    await send([{ euiccResult: loaded[signed]() }]);
    const state = await loaded.state();
    expect(await send([loaded.word()])).toMatchObject({ noted: 1, rejected: [] });
    expect(await loaded.state()).toBe(state);
  });

  it('is refused when it names another EID than the transaction', async () => {
    const [loaded, other] = [await Loaded.bind(), await Loaded.bind()];
    expect(await codeOf(loaded.word(other.euicc.eid))).toEqual(['transactionMismatch']);
  });
});

describe('a deletion that the eUICC signed (SGP.41 Annex A.4)', {
  tags: ['A4-RETURN-TO-STOCK', 'ES10B-OTHER-NOTIFICATION'],
}, () => {
  it('returns the device to stock: a new key and a new profile, never the old one', async () => {
    const loaded = await Loaded.bind(
      operational(`89002000000000${String(10 * made).padStart(4, '0')}`).order,
    );
    const card = SoftEuicc.create(loaded.euicc);
    const factory = new Factory({ journalFile: join(deployment.folder, 'journal-a4'), reader: () => card });
    const [outcome] = await factory.load(loaded.batch);
    await fromField(outcome!.result!);
    const [deletion] = card.deleteProfile(loaded.iccid, 'fpa');
    factory.addNotification(deletion!);
    const report = factory.report(randomBytes(8), [loaded.batch]);
    const answer = await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    expect(answer).toMatchObject({ verified: 2, rejected: [] });
    expect(await loaded.state()).toBe('Deleted');
    expect(await loaded.told()).toEqual(['Installed', 'Deleted']);
    expect((await positionsOf(deployment.runtime, loaded.orderId)).returned).toEqual([]);

    const again = new Request(loaded.orderId, [{ eid: loaded.euicc.eid, additional: true }]);
    const [item] = boundOf(await again.send(deployment.runtime));
    expect(item!.bound.iccid).not.toBe(loaded.iccid);
    expect(toHex(item!.bound.keyId)).not.toBe(toHex(loaded.item.bound.keyId));
    await factory.load((await again.fetch(deployment.runtime)).bppBatch!);
    expect(card.installedIccids).toEqual([item!.bound.iccid]);
  });

  it('is the end: a success that comes after it changes nothing', async () => {
    const loaded = await Loaded.bind();
    await fromField(loaded.notification('delete'));
    expect(
      await send([{ euiccResult: loaded.result() }, { otherSigned: loaded.notification('delete') }]),
    ).toMatchObject({ verified: 2 });
    expect(await loaded.state()).toBe('Deleted');
    expect(await loaded.told()).toEqual(['Deleted']);
  });

  it('is refused unsigned, from an unknown eUICC, with another certificate or of another ICCID', async () => {
    const [loaded, other] = [await Loaded.bind(), await Loaded.bind()];
    const stranger = deployment.eum.personalise();
    const twin = deployment.eum.personalise({ eid: loaded.euicc.eid });
    const metadata = { seqNumber: 9, event: 'delete', address: '', iccid: loaded.iccid } as const;
    const signedBy = ({ key, euiccCert, eumCert }: PersonalisedEuicc) =>
      signOtherNotification(metadata, key, euiccCert, eumCert);
    const cases = [
      [loaded.notification('delete', loaded.iccid, generateKey('p256')), 'euiccSignatureInvalid'],
      [signedBy(stranger), 'eidUnknown'],
      [signedBy(twin), 'euiccCertificateInvalid'],
      [loaded.notification('delete', other.iccid), 'iccidUnknown'],
      // what stands in the place of the EID is no name of anything in the ledger
      ...['89\x049032', '', 'x'.repeat(200), '8904903212345123451234567890123\0'].map(
        (eid) =>
          [
            signedBy({ ...twin, euiccCert: deployment.eum.ca.issueEuicc(eid, twin.key) }),
            'euiccCertificateInvalid',
          ] as const,
      ),
    ] as const;
    for (const [der, code] of cases) {
      expect(await codeOf({ otherSigned: der })).toEqual([code]);
      await expect(fromField(der)).rejects.toMatchObject({ code });
    }
    expect(await loaded.state()).toBe('Delivered');
  });

  it('is taken with another certificate of the key that is registered', async () => {
    const loaded = await Loaded.bind();
    const { key, eid, eumCert } = loaded.euicc;
    const renewed = deployment.eum.ca.issueEuicc(eid, key);
    const metadata = { seqNumber: 9, event: 'delete', address: '', iccid: loaded.iccid } as const;
    const der = signOtherNotification(metadata, key, renewed, eumCert);
    expect(await codeOf({ otherSigned: der })).toEqual([]);
    expect(await loaded.state()).not.toBe('Delivered');
  });

  it('is the only notification besides the result that changes a state', async () => {
    const loaded = await Loaded.bind();
    expect(await send([{ otherSigned: loaded.notification('enable') }])).toMatchObject({ verified: 1 });
    expect(await loaded.state()).toBe('Delivered');
  });
});

describe('a Profile Loading Report', { tags: ['DPFF05', 'ESBPP03', 'I4'] }, () => {
  it('is taken item by item: bad ones are listed by their place, the others count', async () => {
    const [one, other] = [await Loaded.bind(), await Loaded.bind()];
    const answer = await send([
      { euiccResult: one.result({}, generateKey('p256')) },
      { euiccResult: one.result() },
      other.word(one.euicc.eid),
      other.word(),
    ]);
    expect(answer).toMatchObject({
      verified: 1,
      noted: 1,
      rejected: [
        { itemIndex: 0, code: 'euiccSignatureInvalid', subjectCode: '8.1', reasonCode: '6.1' },
        { itemIndex: 2, code: 'transactionMismatch' },
      ],
    });
    expect([await one.state(), await other.state()]).toEqual(['Installed', 'Unreported']);
  });

  it('repeated is answered alike, even when the world has moved on (I4)', async () => {
    const loaded = await Loaded.bind();
    const { reports } = deployment.runtime.services;
    const report = reportOf([{ euiccResult: loaded.failure() }]);
    const first = await reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    await fromField(loaded.result());
    expect(await reports.sendProfileLoadingReport(DEVICE_MAKER, report)).toEqual(first);
    expect(await loaded.state()).toBe('Installed');
  });

  it('with the reportId of another body is refused, also when both come at once', async () => {
    const loaded = await Loaded.bind();
    const { reports } = deployment.runtime.services;
    const reportId = randomBytes(8);
    const bodies = [
      reportOf([loaded.word()], reportId),
      reportOf([{ euiccResult: loaded.failure() }], reportId),
    ];
    const outcomes = await Promise.allSettled(
      bodies.map((body) => reports.sendProfileLoadingReport(DEVICE_MAKER, body)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const [i, { status }] of outcomes.entries()) {
      const again = reports.sendProfileLoadingReport(DEVICE_MAKER, bodies[i]!);
      if (status === 'fulfilled') expect((await again).reportId).toBe(toHex(reportId));
      else await expect(again).rejects.toMatchObject({ code: 'requestChanged' });
    }
  });

  it('of thousands of items is work of the dispatcher: Pending, then Done, and its answer kept', async () => {
    const loaded = await Loaded.bind();
    const bad: ReportItem = {
      fpaError: { transactionId: randomBytes(16), eid: deployment.eum.personalise().eid, cause: 'other' },
    };
    const items: ReportItem[] = Array.from({ length: 5_000 }, () => bad);
    // in a slice of its own, and beside its own FPA's word in another one: a signed result wins
    items[3_777] = { euiccResult: loaded.result() };
    items[12] = loaded.word();
    const report = reportOf(items);
    const { reports } = deployment.runtime.services;
    const first = await reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    expect(first).toMatchObject({ state: 'Pending', rejected: [] });
    for (const [other, code] of [
      [reportOf([bad], fromHex(first.reportId)), 'requestChanged'],
      [reportOf(items.slice(1), fromHex(first.reportId)), 'requestChanged'],
      [report.subarray(0, -1), 'protocolFormat'],
    ] as const)
      await expect(reports.sendProfileLoadingReport(DEVICE_MAKER, other)).rejects.toMatchObject({ code });
    let answer = first;
    while (answer.state === 'Pending') {
      await new Promise((resolve) => setTimeout(resolve, 20));
      answer = await reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    }
    expect(answer).toMatchObject({ state: 'Done', verified: 1 });
    expect(answer.rejected.slice(0, 13).map(({ itemIndex }) => itemIndex)).toEqual(
      Array.from({ length: 14 }, (_, i) => i)
        .filter((i) => i !== 12)
        .slice(0, 13),
    );
    expect(answer.rejected).toHaveLength(1_000);
    expect(await loaded.state()).toBe('Installed');
    expect(await reports.sendProfileLoadingReport(DEVICE_MAKER, report)).toEqual(answer);

    expect(answer.rejectedCount).toBe(5_000 - answer.verified - answer.noted);
    const { transfers } = deployment.runtime.services;
    const named = { requestId: first.reportId, name: 'rejected' };
    const { vault } = deployment.runtime.context;
    const results: ObjectRef[] = [];
    for await (const one of vault.list('report-results/')) results.push(one);
    expect(results).toHaveLength(1);
    const [object] = results as [ObjectRef];
    expect(await transfers.getTransfer(DEVICE_MAKER, named)).toMatchObject({
      size: object.size,
      sha256: object.sha256,
    });
    const lines = Buffer.from(await vault.get(object))
      .toString('utf8')
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(answer.rejectedCount);
    expect(JSON.parse(lines.at(-1)!)).toEqual({
      itemIndex: 4_999,
      subjectCode: expect.any(String),
      reasonCode: expect.any(String),
      message: expect.any(String),
    });
    const stranger = { ...DEVICE_MAKER, identifier: '2.999.58' };
    await expect(transfers.getTransfer(stranger, named)).rejects.toMatchObject({ code: 'requestUnknown' });
  });
});
