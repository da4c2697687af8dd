import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { suiteByName } from '../../shared/crypto/suite.ts';
import {
  type BppRequest,
  encodeBppRequest,
  Factory,
  type RequestItem,
  type SuiteName,
} from '../../sim/index.ts';
import type { CliIo } from '../output/cli-io.ts';
import type { DemoRecord } from './steps.ts';
import { type AuditLog, countBound, countItems, type DemoSummary, summarise } from './summary.ts';
import { forgedReport, tamperWith } from './tampering.ts';
import { troubleCalls } from './troubles.ts';
import { type Device, MAKER_ID, makeDevices, readerOf, type World } from './world.ts';

const ORDER_ID = 'DEMO-1';

export interface FlowOptions {
  readonly devices: number;
  readonly profilesPerDevice: number;
  readonly upp: Bytes;
  /** Of the one-time keys. */
  readonly suite: SuiteName;
  /** A test profile keeps the keys of its template; an operational one gets fresh ones. */
  readonly profileClass: 'operational' | 'test';
}

/** The 16 steps of SGP.41 section 5.1 in their order, each on the record. */
export class Flow {
  readonly #options: FlowOptions;
  readonly #folder: string;
  readonly #world: World;
  readonly #record: DemoRecord;
  readonly #io: CliIo;

  constructor(options: FlowOptions, folder: string, world: World, record: DemoRecord, io: CliIo) {
    this.#options = options;
    this.#folder = folder;
    this.#world = world;
    this.#record = record;
    this.#io = io;
  }

  async run(audit: AuditLog): Promise<DemoSummary> {
    const { devices: count, profilesPerDevice } = this.#options;
    const ordered = (count + 5) * profilesPerDevice + 5;
    const rows = await this.#prepare(ordered);
    const devices = await this.#deliverEuiccs();
    await this.#registerPathA(devices);
    const forwarded = this.#forwardPathB(devices);
    const { batches, requests } = await this.#request(devices, await forwarded);
    await troubleCalls(this.#world, this.#record, { devices, requests, batches, orderId: ORDER_ID });
    const loaded = await this.#load(devices, batches);
    await this.#report(devices, loaded);
    return await summarise(this.#world, audit, this.#record, {
      orderId: ORDER_ID,
      ordered,
      wantedDevices: count,
      devices,
      batches: loaded.batches,
      rows,
    });
  }

  async #prepare(ordered: number): Promise<Map<string, Record<string, string>>> {
    const { operator, callbacks, outputKey } = this.#world;
    const order = {
      orderId: ORDER_ID,
      profileType: 'demo',
      quantity: ordered,
      requesterDms: [MAKER_ID],
      template: this.#options.upp,
      personalisation: {
        iccidStart: '890010000000000000',
        imsiStart: '001010000000001',
        keys: this.#options.profileClass === 'operational' ? 'generate' : 'template',
      },
      eligibility: suiteByName(this.#options.suite).quantumSafe ? { suites: [this.#options.suite] } : {},
      metadata: {
        serviceProviderName: 'Demo Operator',
        profileName: 'In-factory profile',
        profileClass: this.#options.profileClass,
      },
      outputKey: outputKey.jwk,
      callbackUrl: callbacks.url,
    };
    const { template: _, ...readable } = order;
    this.#keep('order.json', JSON.stringify(readable, null, 2));
    await this.#record.step(
      '1',
      'ES2f',
      'The Operator orders profiles from a template',
      async () => {
        let status = await operator.prepareProfiles(order);
        const bar = this.#io.progress('protecting profiles', ordered);
        while (status.state === 'Preparing') {
          bar.update(Number(status.prepared));
          await pause(100);
          status = await operator.getOrderStatus(ORDER_ID, { limit: 1 });
        }
        bar.end();
        return status;
      },
      (status) => `${status.prepared} protected, each under keys of its own`,
    );
    return await this.#outputRows();
  }

  /** What the Operator's HSS gets: decrypted here with the Operator's own key. */
  async #outputRows(): Promise<Map<string, Record<string, string>>> {
    const { operator, outputKey } = this.#world;
    return await this.#record.step(
      '1',
      'ES2f',
      'The Operator fetches the generated keys, encrypted to it',
      async () => {
        const rows = new Map<string, Record<string, string>>();
        for await (const pack of operator.orderOutput(ORDER_ID, outputKey.privateJwk)) {
          for (const line of pack.trim().split('\n')) {
            const values: unknown = JSON.parse(line);
            const row = Object.fromEntries(
              Object.entries(Object(values)).map(([name, value]) => [name, String(value)]),
            );
            rows.set(row.iccid!, row);
          }
        }
        return rows;
      },
      (rows) => `${rows.size} rows for the HSS`,
    );
  }

  #deliverEuiccs(): Promise<Device[]> {
    const { devices, profilesPerDevice } = this.#options;
    return this.#record.step(
      '2',
      'physical',
      'The EUM personalises eUICCs and ships them',
      async () => makeDevices(this.#world.eum, join(this.#folder, 'cards'), devices, profilesPerDevice + 1),
      (made) =>
        `${made.length} eUICCs with ${profilesPerDevice + 1} one-time keys each, ${made.length - devices} of them for troubles`,
    );
  }

  async #registerPathA(devices: readonly Device[]): Promise<void> {
    const batch = this.#world.eum.euiccDataBatch(onPath(devices, 'A'), { deviceManufacturers: [MAKER_ID] });
    this.#keep('euicc-data-path-a.der', batch);
    await this.#record.step(
      '3',
      'Esed1',
      'The EUM sends eUICC data to the SM-DPf (path A)',
      async () => (await this.#world.eumClient.registerEuiccData(batch)).body,
      (answer) => `${answer.accepted} accepted, ${answer.rejectedCount} refused`,
    );
  }

  #forwardPathB(devices: readonly Device[]): Promise<Bytes | undefined> {
    const euiccs = onPath(devices, 'B');
    return this.#record.step(
      '4',
      'Esed2',
      'The EUM sends eUICC data to the device manufacturer (path B)',
      async () => {
        if (euiccs.length === 0) return undefined;
        const batch = this.#world.eum.euiccDataBatch(euiccs);
        this.#keep('euicc-data-path-b.der', batch);
        return batch;
      },
      () => `${euiccs.length} eUICCs, to go inside the request`,
    );
  }

  async #request(
    devices: readonly Device[],
    pathB: Bytes | undefined,
  ): Promise<{ batches: Bytes[]; requests: BppRequest[] }> {
    const { maker } = this.#world;
    const requests = (['A', 'B'] as const)
      .map((path) => ({
        path,
        items: itemsFor(
          devices.filter((device) => device.path === path),
          this.#options.profilesPerDevice,
        ),
      }))
      .filter(({ items }) => items.length > 0)
      .map(({ path, items }) => ({
        requestId: randomBytes(8),
        orderId: ORDER_ID,
        items,
        ...(path === 'B' && pathB !== undefined && { euiccData: pathB }),
      }));
    const encoded = requests.map(encodeBppRequest);
    for (const [i, request] of encoded.entries()) this.#keep(`bpp-request-${i + 1}.der`, request);
    await this.#record.step(
      '5',
      'Esbpp',
      'The device manufacturer requests Bound Profile Packages',
      async () => await Promise.all(encoded.map((request) => maker.callRequestBpp(request))),
      (answers) =>
        `${requests.reduce((sum, { items }) => sum + items.length, 0)} items in ${answers.length} requests`,
    );
    const batches = await this.#record.step(
      '6',
      'SM-DPf',
      'The SM-DPf checks eligibility, verifies eUICC data, binds',
      async () => {
        const received: Bytes[] = [];
        for (const request of requests)
          received.push(await maker.requestBpp(request, { timeoutMs: 600_000 }));
        return received;
      },
      (received) => `${countBound(received)} bound, ${countItems(received) - countBound(received)} refused`,
    );
    await this.#record.step(
      '7',
      'Esbpp',
      'The device manufacturer receives the BPPs with the SM-DPf chain',
      async () => batches.map((batch, i) => this.#keep(`bpp-batch-${i + 1}.der`, batch)),
      () =>
        `${(batches.reduce((sum, { length }) => sum + length, 0) / 1e6).toFixed(1)} MB in ${batches.length} files`,
    );
    return { batches, requests };
  }

  /** Steps 8 to 12, with no network: the factory knows files and cards only. */
  async #load(
    devices: readonly Device[],
    batches: readonly Bytes[],
  ): Promise<{ factory: Factory; batches: Bytes[] }> {
    const byEid = new Map(devices.map((device) => [device.euicc.eid, device]));
    const onLine = batches.map((batch) => tamperWith(batch, devices));
    const factory = new Factory({
      journalFile: join(this.#folder, 'factory-journal.jsonl'),
      reader: (eid) => {
        const device = byEid.get(eid);
        return device && readerOf(device);
      },
    });
    await this.#record.step(
      '8-11',
      'ES10f/ES8f',
      'The FPA loads the BPPs offline; the eUICCs verify, install and sign',
      async () => {
        const bar = this.#io.progress('loading profiles', countBound(onLine));
        let done = 0;
        for (const batch of onLine) await factory.load(batch, () => bar.update(++done));
        bar.end();
        return factory.outcomes;
      },
      (outcomes) =>
        `${outcomes.filter(({ result }) => result !== undefined).length} signed results, ${outcomes.filter(({ fpaError }) => fpaError !== undefined).length} without`,
    );
    await this.#record.step(
      '12',
      'Esfac',
      'The FPA hands the results to the device manufacturer',
      async () => factory.outcomes.length,
      (count) => `${count} outcomes in the journal`,
    );
    return { factory, batches: onLine };
  }

  async #report(
    devices: readonly Device[],
    { factory, batches }: { factory: Factory; batches: Bytes[] },
  ): Promise<void> {
    const { maker, field, callbacks } = this.#world;
    const report = await this.#record.step(
      '13',
      'device manufacturer',
      'The device manufacturer writes the Profile Loading Report',
      async () => factory.report(randomBytes(4), batches),
      ({ length }) => `${factory.outcomes.length} items, ${length} octets`,
    );
    this.#keep('profile-loading-report.der', report);
    const answer = await this.#record.step(
      '14',
      'Esbpp',
      'The report goes to the SM-DPf',
      () => maker.sendProfileLoadingReport(report),
      () => 'taken',
    );
    await this.#record.step(
      '15',
      'SM-DPf',
      'The SM-DPf verifies each signed result',
      async () => answer,
      (taken) =>
        `${taken.verified} verified, ${taken.noted} words of the FPA noted, ${(taken.rejected as unknown[]).length} rejected`,
    );
    const forged = forgedReport(factory);
    if (forged !== undefined) {
      const rejected = (await maker.sendProfileLoadingReport(forged)).rejected as {
        subjectCode: string;
        reasonCode: string;
        message: string;
      }[];
      this.#record.trouble(
        'a result with one flipped signature bit',
        '8.1/6.1',
        rejected.map((one) => `${one.subjectCode}/${one.reasonCode} ${one.message}`).join('; ') || 'accepted',
      );
    }
    const late = devices
      .filter(({ trouble }) => trouble === 'silent')
      .flatMap(({ card }) => {
        // the line deletes what keys are left, and the device leaves the factory (EUICCF03, EUICCF04)
        card.deleteUnusedOneTimeKeys();
        return card.retrieveNotifications().map(({ signed }) => signed);
      });
    await this.#record.step(
      '15b',
      'ES9+',
      'A device whose answer was lost on the line reports from the field',
      async () => await Promise.all(late.map((signed) => field.handleNotification(signed))),
      (answers) =>
        `${answers.filter(({ httpStatus }) => httpStatus === 204).length} of ${late.length} results taken`,
    );
    const expected = factory.outcomes.length + late.length;
    await this.#record.step(
      '16',
      'ES2f',
      'The SM-DPf reports to the Operator',
      () => callbacks.waitFor(expected),
      (received) =>
        `${received.length} callbacks, after ${callbacks.calls - received.length} that the Operator's server failed`,
    );
    this.#keep('callbacks.json', JSON.stringify(callbacks.received, null, 2));
  }

  #keep(name: string, content: Bytes | string): void {
    writeFileSync(join(this.#folder, name), content);
  }
}

function onPath(devices: readonly Device[], path: 'A' | 'B') {
  return devices.filter((device) => device.path === path).map(({ euicc }) => euicc);
}

function itemsFor(devices: readonly Device[], profilesPerDevice: number): RequestItem[] {
  let itemId = 0;
  return devices.flatMap(({ euicc }) =>
    Array.from({ length: profilesPerDevice }, (_, n) => ({
      itemId: itemId++,
      eid: euicc.eid,
      ...(n > 0 && { additional: true }),
    })),
  );
}
