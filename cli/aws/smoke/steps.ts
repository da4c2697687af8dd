import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compactDecrypt } from 'jose';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import {
  type BppRequest,
  decodeBppBatch,
  encodeBppRequest,
  Factory,
  type PersonalisedEuicc,
  SoftEuicc,
} from '../../../sim/index.ts';
import type { DemoRecord } from '../../demo/steps.ts';
import { IDENTIFIERS, type SmokeWorld } from './world.ts';

/** How much of each there is. */
export interface SmokeSizes {
  /** Profiles of the order; more than a job and one. */
  readonly ordered: number;
  /** Items of the job, which the distributed map binds. */
  readonly job: number;
  /** Devices that load their profile. */
  readonly loaded: number;
}

/** Time for what runs behind: packs, the map of a job, callbacks. */
export const BEHIND_MS = 180_000;

type Rows = ReadonlyMap<string, Readonly<Record<string, string>>>;

/**
 * The flow of SGP.41 over HTTP against a deployed stack, step by step. What counts is what comes back and holds, never a
 * status: each step throws where it does not.
 */
export class SmokeSteps {
  readonly orderId: string;
  readonly #world: SmokeWorld;
  readonly #record: DemoRecord;
  readonly #sizes: SmokeSizes;

  constructor(world: SmokeWorld, record: DemoRecord, sizes: SmokeSizes) {
    this.#world = world;
    this.#record = record;
    this.#sizes = sizes;
    this.orderId = `SMOKE-${world.run}`;
  }

  async refuseStranger(): Promise<void> {
    const { stranger } = this.#world;
    if (stranger === undefined) return;
    await this.#record.step(
      '-',
      'Esbpp',
      'A certificate that nobody registered is refused',
      async () => {
        const { httpStatus } = await stranger.client.call('esbpp', 'getBppBatch', { requestId: '00' });
        assert.equal(httpStatus, 403);
      },
      () => 'HTTP 403',
    );
  }

  async order(): Promise<Rows> {
    const { operator, callbacks, outputKey, made } = this.#world;
    const { orderId } = this;
    const { ordered } = this.#sizes;
    made.orders.push(orderId);
    await this.#record.step(
      '1',
      'ES2f',
      'The Operator orders profiles',
      async () => {
        let answer = await operator.prepareProfiles({
          ...orderInput(this.#world.run, ordered),
          orderId,
          outputKey: outputKey.jwk,
          ...(callbacks !== undefined && { callbackUrl: callbacks.url }),
        });
        const deadline = Date.now() + BEHIND_MS;
        while (answer.state === 'Preparing' && Date.now() < deadline) {
          await pause(500);
          answer = await operator.getOrderStatus(orderId, { limit: 1 });
        }
        assert.equal(answer.state, 'Open');
        return answer.prepared;
      },
      (prepared) => `${prepared} prepared`,
    );
    const rows = new Map<string, Record<string, string>>();
    for (let pack = 0, packs = 1; pack < packs; pack++) {
      const output = await operator.client.execute('es2f', 'getOrderOutput', { orderId, pack });
      packs = Number(output.packs);
      const { plaintext } = await compactDecrypt(String(output.jwe), outputKey.privateKey);
      for (const line of Buffer.from(plaintext).toString('utf8').trim().split('\n')) {
        const values: unknown = JSON.parse(line);
        const row = Object.fromEntries(
          Object.entries(Object(values)).map(([name, value]) => [name, String(value)]),
        );
        rows.set(row.iccid!, row);
      }
    }
    assert.equal(rows.size, ordered);
    return rows;
  }

  registerEuiccs(): Promise<PersonalisedEuicc[]> {
    const { eum, eumClient } = this.#world;
    return this.#record.step(
      '3',
      'Esed1',
      'The EUM sends eUICC data by presigned upload',
      async () => {
        const euiccs = Array.from({ length: this.#sizes.job + 1 }, () => eum.personalise());
        const batch = eum.euiccDataBatch(euiccs, { deviceManufacturers: [IDENTIFIERS.maker] });
        const sha256 = createHash('sha256').update(batch).digest('hex');
        const { client } = eumClient;
        const content = { purpose: 'euiccData', size: batch.length, sha256 };
        const opened = await client.execute('esed1', 'openTransfer', content);
        const put = async (body: Uint8Array) => {
          const headers = opened.headers as Record<string, string>;
          const url = String(opened.uploadUrl);
          return (await fetch(url, { method: 'PUT', headers, body: Buffer.from(body) })).status;
        };
        // what S3 has to refuse: other octets of the same length
        const other = await put(randomBytes(batch.length));
        assert.ok(other >= 400, `an upload of other content was answered ${other}`);
        assert.equal(await put(batch), 200);
        const answer = await client.execute('esed1', 'registerEuiccData', { transferId: opened.transferId });
        assert.deepEqual([answer.accepted, answer.rejectedCount], [euiccs.length, 0]);
        return euiccs;
      },
      (euiccs) => `${euiccs.length} accepted; an upload of other octets was refused`,
    );
  }

  bindOne({ eid }: PersonalisedEuicc): Promise<Uint8Array> {
    const { maker } = this.#world;
    return this.#record.step(
      '5',
      'Esbpp',
      'One profile is bound while the caller waits',
      async () => {
        const request = this.#request([{ itemId: 0, eid }]);
        const { body } = await maker.callRequestBpp(encodeBppRequest(request));
        assert.equal(body.state, 'Done');
        const batch = Buffer.from(String(body.bppBatch), 'base64');
        assert.equal(decodeBppBatch(batch).items.filter(({ bound }) => bound !== undefined).length, 1);
        return batch;
      },
      ({ length }) => `${length} octets`,
    );
  }

  /** `meanwhile` gets the request once it was not answered in time, to drive what an emulator does not. */
  async bindJob(
    euiccs: readonly PersonalisedEuicc[],
    meanwhile?: (requestId: string) => Promise<void>,
  ): Promise<BoundJob> {
    const { maker } = this.#world;
    const request = this.#request(euiccs.map(({ eid }, itemId) => ({ itemId, eid })));
    const requestId = request.requestId.toString('hex');
    const again = () => maker.requestBpp(request, { timeoutMs: BEHIND_MS, pollMs: 500 });
    return await this.#record.step(
      '6-7',
      'Esbpp',
      `A job of ${euiccs.length} is bound in chunks and pulled`,
      async () => {
        const octets = await again().catch(async (error: unknown) => {
          if (meanwhile === undefined) throw error;
          await meanwhile(requestId);
          return await again();
        });
        const { items } = decodeBppBatch(octets);
        const refused = items.flatMap(({ failed }) => failed ?? []);
        assert.equal(
          refused.length,
          0,
          `${refused.length} items were refused: ${JSON.stringify(refused[0])}`,
        );
        const iccids = items.flatMap(({ bound }) => (bound === undefined ? [] : [String(bound.iccid)]));
        assert.deepEqual([items.length, new Set(iccids).size], [euiccs.length, euiccs.length]);
        return { requestId, octets, again };
      },
      ({ octets }) => `${euiccs.length} different profiles, ${octets.length} octets`,
    );
  }

  /** I4: the same request is the same answer, to the octet. */
  async repeat({ octets, again }: BoundJob): Promise<void> {
    await this.#record.step(
      '-',
      'Esbpp',
      'The same request once more',
      async () => assert.ok(Buffer.from(await again()).equals(octets)),
      () => 'the same answer to the octet',
    );
  }

  /** The line without a network, then its reports, the field and the callbacks. */
  async load(
    euiccs: readonly PersonalisedEuicc[],
    batches: readonly Uint8Array[],
    rows: Rows,
  ): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'smdpf-smoke-line-'));
    try {
      const cards = new Map(
        euiccs
          .slice(0, this.#sizes.loaded)
          .map((euicc) => [euicc.eid, SoftEuicc.create(euicc, { file: join(folder, `${euicc.eid}.json`) })]),
      );
      const factory = new Factory({
        journalFile: join(folder, 'journal.jsonl'),
        reader: (eid) => cards.get(eid),
      });
      await this.#loadOffline(factory, cards, batches, rows);
      await this.#report(factory, batches);
      await this.#fromTheField([...cards.values()][0]!);
    } finally {
      rmSync(folder, { recursive: true });
    }
    await this.#calledBack();
    await this.#counts();
  }

  async #loadOffline(
    factory: Factory,
    cards: ReadonlyMap<string, SoftEuicc>,
    batches: readonly Uint8Array[],
    rows: Rows,
  ): Promise<void> {
    await this.#record.step(
      '8-12',
      'ES10f',
      `${cards.size} devices load their profile offline; the others are not on the line`,
      async () => {
        for (const batch of batches) await factory.load(batch);
        let equal = 0;
        for (const { eid, bound } of batches.flatMap((batch) => decodeBppBatch(batch).items)) {
          const upp = bound && cards.get(eid)?.installedProfile(bound.iccid);
          const row = bound && rows.get(bound.iccid);
          if (upp && row && !auditPersonalisation(upp, row).some(({ code }) => code === 'differs'))
            equal += 1;
        }
        assert.equal(equal, cards.size);
        return factory.outcomes.filter(({ result }) => result !== undefined).length;
      },
      (signed) => `${signed} signed results; what is installed is what the Operator's rows say`,
    );
  }

  async #report(factory: Factory, batches: readonly Uint8Array[]): Promise<void> {
    const { job, loaded } = this.#sizes;
    await this.#record.step(
      '13-15',
      'Esbpp',
      'The reports are verified',
      async () => {
        let verified = 0;
        let noted = 0;
        for (const batch of batches) {
          const report = factory.report(randomBytes(4), [batch]);
          const answer = await this.#world.maker.sendProfileLoadingReport(report);
          assert.equal(answer.state, 'Done');
          verified += Number(answer.verified);
          noted += Number(answer.noted);
        }
        assert.deepEqual([verified, noted], [loaded, job + 1 - loaded]);
        return { verified, noted };
      },
      ({ verified, noted }) => `${verified} verified, ${noted} words of the FPA noted`,
    );
  }

  async #fromTheField(card: SoftEuicc): Promise<void> {
    await this.#record.step(
      '15b',
      'ES9+',
      'A device sends its result from the field once more',
      async () => {
        const signed = card.retrieveNotifications()[0]!.signed;
        const { httpStatus } = await this.#world.field.handleNotification(signed);
        assert.equal(httpStatus, 204);
      },
      () => 'HTTP 204',
    );
  }

  async #calledBack(): Promise<void> {
    const { callbacks } = this.#world;
    if (callbacks === undefined) return;
    const profiles = () => new Set(callbacks.received.map(({ iccid }) => iccid)).size;
    await this.#record.step(
      '16',
      'ES2f',
      'The Operator is called back, by queue and Lambda',
      async () => {
        const deadline = Date.now() + BEHIND_MS;
        // any of them may come twice
        while (profiles() < this.#sizes.job + 1 && Date.now() < deadline) await pause(200);
        assert.equal(profiles(), this.#sizes.job + 1);
        return callbacks.calls;
      },
      (calls) => `${profiles()} profiles told of, ${calls} calls`,
    );
  }

  async #counts(): Promise<void> {
    const { ordered, job, loaded } = this.#sizes;
    await this.#record.step(
      '-',
      'ES2f',
      'The states of the order add up',
      async () => {
        const { counts } = await this.#world.operator.getOrderStatus(this.orderId, { limit: 1 });
        const expected = { Installed: loaded, Unreported: job + 1 - loaded, Available: ordered - job - 1 };
        assert.deepEqual(counts, expected);
        return counts;
      },
      (counts) => JSON.stringify(counts),
    );
  }

  #request(items: BppRequest['items']) {
    const requestId = randomBytes(8);
    this.#world.made.requests.push(requestId.toString('hex'));
    return { requestId, orderId: this.orderId, items };
  }
}

export interface BoundJob {
  readonly requestId: string;
  readonly octets: Uint8Array;
  /** Asks for the same once more. */
  readonly again: () => Promise<Uint8Array>;
}

const orderInput = (run: string, quantity: number) => ({
  profileType: 'smoke',
  quantity,
  requesterDms: [IDENTIFIERS.maker],
  template: ownTemplate(),
  personalisation: {
    iccidStart: `8900${String(Number.parseInt(run, 16)).padStart(10, '0')}0000`,
    imsiStart: '001010000000001',
    keys: 'generate',
  },
  eligibility: {},
  metadata: {
    serviceProviderName: 'Smoke',
    profileName: 'In-factory profile',
    profileClass: 'operational',
  },
});
