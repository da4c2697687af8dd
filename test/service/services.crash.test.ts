import { randomBytes } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';
import { ingestIdOf } from '../../shared/service/esed1/euicc-batches.ts';
import { euiccRecord } from '../../shared/service/records/euicc.ts';
import { ledgerKeys, noticeName } from '../../shared/service/records/keys.ts';
import { noticeRecord } from '../../shared/service/records/notice.ts';
import { packRecord } from '../../shared/service/records/order.ts';
import { PackReader } from '../../shared/service/supply/packs.ts';
import { signInstallationResult } from '../../sim/euicc/results.ts';
import { encodeProfileLoadingReport } from '../../sim/index.ts';
import { count } from '../support/counts.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { effort } from '../support/effort.ts';
import { brokenInTheMiddle, JUNK_ENTRIES, large } from '../support/large-batch.ts';
import { waitingNotices } from '../support/notices.ts';
import { type Fate, MortalProcess, rests } from './mortal.ts';
import {
  auditLines,
  boundOf,
  noticedState,
  operational,
  outcomesOf,
  positionsOf,
  ppksLeft,
  prepare,
  Request,
  registered,
  TEMPLATE,
} from './scenario.ts';

let deployment: Deployment;
let made = 0;
/** Store calls from one death to the next; odd, so that both ways to die come up. */
const STRIDE = effort({ short: 11, long: 1 });

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 2 } });
});

afterAll(() => deployment?.close());

/**
 * Runs `make` afresh for every store call of its work: the process dies before or after that call, then two others do
 * the same work at once, and `settled` looks at what became of it.
 */
async function atEveryCall<Given>(
  make: () => Promise<Given>,
  work: (runtime: Runtime, given: Given) => Promise<unknown>,
  settled: (given: Given, results: readonly unknown[]) => Promise<void>,
  own: Partial<RuntimeConfig> = {},
): Promise<void> {
  const at = { runtime: deployment.runtime, config: { ...deployment.config, ...own } };
  const run = async (given: Given, fates: readonly Fate[]) => {
    const processes = await Promise.all(fates.map((fate) => MortalProcess.start(at, fate)));
    return await Promise.all(
      processes.map(async (process) => {
        const result = await process.run((runtime) => work(runtime, given));
        return { result, calls: process.calls };
      }),
    );
  };
  const calm = await make();
  const [{ calls, result }] = (await run(calm, [{}])) as [{ calls: number; result: unknown }];
  await settled(calm, [result]);
  for (let call = 1; call <= calls; call += STRIDE) {
    const given = await make();
    await run(given, [{ call, when: call % 2 === 0 ? 'before' : 'after' }]);
    count('crashes', 1);
    const twins = await run(given, [{ restMs: rests(call) }, { restMs: rests(-call) }]);
    await settled(
      given,
      twins.map((twin) => twin.result),
    );
  }
}

/** What an EUM is told in the end. */
async function registeredOrRefused({ services: { ingest } }: Runtime, batch: Uint8Array): Promise<unknown> {
  for (;;) {
    try {
      const answer = await ingest.registerEuiccData(EUM, batch);
      if (answer.state === 'Done') return answer;
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.code, message: error.message };
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('after a death at any store call, repeated by two at once', () => {
  it('an order has its profiles once, and its output rows agree with its packs', async () => {
    await atEveryCall(
      async () => {
        const orderId = `PREP-${made++}`;
        const { privateKey, order } = operational(`8900300000000${String(made * 10).padStart(5, '0')}`);
        return { orderId, privateKey, order: deployment.order(orderId, 3, TEMPLATE, order) };
      },
      async (runtime, { order }) => {
        let answer = await runtime.services.orders.prepareProfiles(OPERATOR, order);
        while (answer.state === 'Preparing') {
          await new Promise((resolve) => setTimeout(resolve, 5));
          answer = await runtime.services.orders.prepareProfiles(OPERATOR, order);
        }
        return answer;
      },
      async ({ orderId, privateKey }, answers) => {
        const { runtime } = deployment;
        // what a restart takes up again, should death have come between the opening of the order and its last step
        expect(await runtime.work.finish('order', orderId)).toBe(true);
        for (const answer of answers)
          expect(answer).toMatchObject({ state: 'Open', prepared: 3, iccids: { length: 3 } });
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
        expect(await positionsOf(runtime, orderId)).toEqual({ supply: [0, 1, 2], returned: [], bound: [] });
        expect(await ppksLeft(runtime, orderId)).toEqual([0, 1, 2]);
        expect(await auditLines(runtime, 'order.taken', { order: orderId })).toBe(1);
        expect(await auditLines(runtime, 'order.prepared', { order: orderId })).toBe(1);
        expect(await runtime.context.ledger.get(ledgerKeys.openWork('order', orderId))).toBeUndefined();
        const reader = new PackReader(runtime.context, orderId);
        for (const pack of [0, 1]) {
          const { jwe } = await runtime.services.orders.getOrderOutput(OPERATOR, { orderId, pack });
          const rows = Buffer.from((await compactDecrypt(jwe, privateKey)).plaintext)
            .toString()
            .trim()
            .split('\n');
          const item = await runtime.context.ledger.get(ledgerKeys.orderPack(orderId, pack));
          const { iccids } = packRecord.from(item!);
          expect(rows.map((row) => (JSON.parse(row) as { iccid: string }).iccid)).toEqual(iccids);
          for (const [place, iccid] of iccids.entries())
            expect(await reader.iccid(pack * 2 + place)).toBe(iccid);
        }
      },
    );
  });

  it('a batch of eUICC data is registered once, each key with one owner (I1)', async () => {
    await atEveryCall(
      async () => {
        const euiccs = [...deployment.eum.production(3, 2)];
        const deviceManufacturers = [DEVICE_MAKER.identifier];
        return { euiccs, batch: deployment.eum.euiccDataBatch(euiccs, { deviceManufacturers }) };
      },
      (runtime, { batch }) => runtime.services.ingest.registerEuiccData(EUM, batch),
      async ({ euiccs, batch }, answers) => {
        const { runtime } = deployment;
        const again = await runtime.services.ingest.registerEuiccData(EUM, batch);
        expect(again).toMatchObject({ state: 'Done', accepted: 3, rejected: [] });
        for (const answer of answers) expect(answer).toEqual(again);
        expect(await auditLines(runtime, 'euiccData.registered', { batch: again.batchId })).toBe(1);
        for (const { eid, oneTimeKeys } of euiccs) {
          const record = euiccRecord.from((await runtime.context.ledger.get(ledgerKeys.euicc(eid)))!);
          expect(record.keys.map(({ keyId, state }) => [keyId, state])).toEqual(
            oneTimeKeys.map(({ keyId }) => [toHex(keyId), 'free']),
          );
        }
      },
    );
  });

  it.each([
    ['that holds is read and registered once', false],
    ['that is broken in its middle is refused once, by its place', true],
  ])('a large batch of eUICC data %s', async (_what, isBroken) => {
    await atEveryCall(
      async () => {
        const euiccs = [...deployment.eum.production(2, 1)];
        const deviceManufacturers = [DEVICE_MAKER.identifier];
        const batchId = randomBytes(8);
        const batch = deployment.eum.euiccDataBatch(euiccs, { batchId, deviceManufacturers });
        const id = ingestIdOf(EUM.identifier, toHex(batchId));
        return { id, batch: isBroken ? brokenInTheMiddle(batch) : large(batch) };
      },
      async (runtime, { batch }) => await registeredOrRefused(runtime, batch),
      async ({ id, batch }, answers) => {
        const { runtime } = deployment;
        // what a restart takes up again, should death have come between the end of the work and its last step
        const kinds = ['frames', 'euiccData'] as const;
        for (const kind of kinds) if (!isBroken) expect(await runtime.work.finish(kind, id)).toBe(true);
        const again = await registeredOrRefused(runtime, batch);
        expect(again).toMatchObject(
          isBroken
            ? {
                refused: 'protocolFormat',
                message: expect.stringMatching(/beyond the list of entries at offset \d+ in FF60/),
              }
            : { state: 'Done', accepted: 2, rejectedCount: JUNK_ENTRIES },
        );
        for (const answer of answers) expect(answer).toEqual(again);
        const open = kinds.map((kind) => ledgerKeys.openWork(kind, id));
        expect(await runtime.context.ledger.getMany(open)).toEqual([undefined, undefined]);
      },
    );
  });

  it.each([
    ['within the call', 1_000],
    ['as work of the dispatcher, in slices of two items', 2],
  ])('a report taken %s changes the state and tells the Operator once', async (_how, inlineReport) => {
    await atEveryCall(
      async () => {
        const orderId = `REP-${made++}`;
        await prepare(deployment, orderId, 2, { callbackUrl: 'http://127.0.0.1:9/' });
        const euiccs = await registered(deployment, 2);
        const request = new Request(
          orderId,
          euiccs.map(({ eid }) => ({ eid })),
        );
        const [one, other] = boundOf(await request.send(deployment.runtime));
        const result = signInstallationResult(
          {
            transactionId: one!.bound.transactionId,
            notification: { seqNumber: 1, event: 'install', address: '', iccid: one!.bound.iccid },
            smdpOid: '2.999.10',
            finalResult: { isdpAid: Buffer.from('a0000005591010ffffffff8900001000', 'hex') },
          },
          euiccs[0]!.key,
        );
        const { transactionId } = other!.bound;
        const report = encodeProfileLoadingReport({
          reportId: randomBytes(8),
          items: [
            { euiccResult: result },
            { fpaError: { transactionId, eid: other!.eid, cause: 'damaged' } },
            { fpaError: { transactionId, eid: one!.eid, cause: 'damaged' } },
          ],
        });
        return { orderId, report, jobId: request.jobId('test') };
      },
      async (runtime, { report }) => {
        let answer = await runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
        while (answer.state === 'Pending') {
          await new Promise((resolve) => setTimeout(resolve, 5));
          answer = await runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
        }
        return answer;
      },
      async ({ orderId, jobId }, answers) => {
        const { services, context } = deployment.runtime;
        for (const answer of answers)
          expect(answer).toMatchObject({ verified: 1, noted: 1, rejected: [{ itemIndex: 2 }] });
        const { items } = await services.orders.getOrderStatus(OPERATOR, { orderId });
        expect(items.map(({ state }) => state)).toEqual(['Installed', 'Unreported']);
        const notices = await waitingNotices(context.ledger, noticeName(orderId, jobId));
        expect(notices.map((notice) => noticedState(noticeRecord.from(notice)))).toEqual([
          'Installed',
          'Unreported',
        ]);
        const { reportId } = answers[0] as { reportId: string };
        expect(await auditLines(deployment.runtime, 'report.taken', { report: reportId })).toBe(1);
        for (const event of ['profile.installed', 'profile.unreported'])
          expect(await auditLines(deployment.runtime, event, { order: orderId })).toBe(1);
      },
      { inlineReport },
    );
  });
});

describe('an order cancelled while a request of it is bound', () => {
  it('has each profile bound for good or closed for good, and no PPK is left of either', async () => {
    const seen = new Set<string>();
    for (let call = 1; ; call += STRIDE) {
      const orderId = `CANCEL-${made++}`;
      await prepare(deployment, orderId, 4);
      const request = new Request(
        orderId,
        (await registered(deployment, 3)).map(({ eid }) => ({ eid })),
      );
      let cancelled: number | undefined;
      const hold = async (number: number) => {
        if (number !== call) return;
        const { services } = deployment.runtime;
        cancelled = (await services.orders.cancelOrder(OPERATOR, { orderId })).cancelled;
      };
      const binding = await MortalProcess.start(deployment, { hold });
      const answer = await binding.run(request.send).catch((error) => error);
      if (cancelled === undefined) break;
      count('sequences', 1);
      const outcomes = answer.code ?? [...new Set(outcomesOf(answer))].join();
      seen.add(outcomes);
      const bound = outcomes === 'bound' ? [0, 1, 2] : [];
      expect(['bound', 'orderExpired']).toContain(outcomes);
      expect(cancelled).toBe(4 - bound.length);
      expect((await positionsOf(deployment.runtime, orderId)).bound).toEqual(bound);
      expect(await ppksLeft(deployment.runtime, orderId)).toEqual([]);
      const { counts } = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });
      expect(counts).toEqual(bound.length > 0 ? { Delivered: 3, Closed: 1 } : { Closed: 4 });
    }
    expect([...seen].sort()).toEqual(['bound', 'orderExpired']);
  });
});
