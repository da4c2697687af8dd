import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compactDecrypt } from 'jose';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import type { KeyDescription } from '../../shared/keys/provider.ts';
import { keyInToken, namesWholeToken } from '../../shared/keys/uri.ts';
import { auditPersonalisation } from '../../shared/profile/package/audit.ts';
import type { BppRequest, CurveName, ReportItem, RequestItem } from '../../sim/index.ts';
import {
  decodeBppBatch,
  encodeBppBatch,
  encodeBppRequest,
  encodeProfileLoadingReport,
  Factory,
} from '../../sim/index.ts';
import { DeploymentFolder, type FolderOptions } from '../deployment/folder.ts';
import { namedKey } from '../deployment/keys.ts';
import { openSandbox } from '../deployment/sandbox.ts';
import { startDeployment } from '../deployment/start.ts';
import type { CliIo } from '../output/cli-io.ts';
import { DemoRecord } from './steps.ts';
import { troubleCalls } from './troubles.ts';
import { type Device, MAKER_ID, makeDevices, openWorld, readerOf, type World } from './world.ts';

export interface DemoOptions {
  readonly devices: number;
  readonly profilesPerDevice: number;
  readonly upp: Bytes;
  /** A test profile keeps the keys of its template; an operational one gets fresh ones. */
  readonly profileClass: 'operational' | 'test';
  readonly curve: CurveName;
  readonly folder: string;
  /**
   * Instead of softkeys: URI of the binding key, or of a token for all keys, which names no object. Keys that are not
   * there yet are made there.
   */
  readonly keys?: string;
}

/** The numbers that must add up: each profile of the order is in exactly one of the states. */
export interface DemoSummary {
  readonly ordered: number;
  readonly devices: number;
  readonly devicesInTrouble: number;
  readonly wanted: number;
  readonly bound: number;
  readonly refused: number;
  readonly states: Readonly<Record<string, number>>;
  readonly callbacks: number;
  /** Installed profiles whose every parameter was read back equal to the Operator's output rows. */
  readonly readBackEqual: number;
  readonly auditLines: number;
  readonly addsUp: boolean;
}

export interface DemoResult {
  readonly record: DemoRecord;
  readonly summary: DemoSummary;
  readonly folder: string;
  /** What the backends say of the keys that were used. */
  readonly keys: readonly KeyDescription[];
}

const ORDER_ID = 'DEMO-1';
const MARKER = '.smdpf-demo';

/** All 16 steps of the IFPP flow against the embedded server, over HTTPS, with simulated counterparts. */
export async function runDemo(options: DemoOptions, io: CliIo): Promise<DemoResult> {
  const folder = freshFolder(options.folder);
  const record = new DemoRecord((text) => io.say(text));
  const deployment = await DeploymentFolder.open(join(folder, 'smdpf'), {
    port: 0,
    fieldPort: 0,
    ...keysOf(options.keys),
  });
  const log: unknown[] = [];
  const server = await startDeployment(deployment, (line) => log.push(line));
  try {
    const sandbox = await openSandbox(
      deployment,
      server.runtime,
      options.curve,
      options.keys && namedKey(deployment, options.keys, `smdpf-demo-dppb-${options.curve}`),
    );
    const keys = (await server.runtime.keyInventory.list()).flatMap(({ description }) => description ?? []);
    const world = await openWorld(server, sandbox);
    try {
      const summary = await new Demo(options, folder, world, record, io).run(server.runtime.audit);
      return { record, summary, folder, keys };
    } finally {
      await world.callbacks.stop();
    }
  } finally {
    await server.close();
    writeFileSync(join(folder, 'server.log'), log.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}

/** The keys of other roles are in the token too, where one is named as a whole. */
function keysOf(where: string | undefined): Pick<FolderOptions, 'keys'> {
  if (where === undefined || !namesWholeToken(where)) return {};
  return {
    keys: {
      wrapping: keyInToken(where, 'smdpf-demo-wrapping'),
      delivery: keyInToken(where, 'smdpf-demo-delivery'),
    },
  };
}

/** Only a folder that an earlier demo made is replaced. */
function freshFolder(path: string): string {
  const folder = resolve(path);
  if (existsSync(folder)) {
    if (!existsSync(join(folder, MARKER))) {
      throw new Fault(
        'configuration',
        `${folder} exists and was not made by a demo; name another folder with --out`,
      );
    }
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, MARKER), 'Made by `smdpf demo`; the next demo replaces this folder.\n');
  return folder;
}

class Demo {
  readonly #options: DemoOptions;
  readonly #folder: string;
  readonly #world: World;
  readonly #record: DemoRecord;
  readonly #io: CliIo;

  constructor(options: DemoOptions, folder: string, world: World, record: DemoRecord, io: CliIo) {
    this.#options = options;
    this.#folder = folder;
    this.#world = world;
    this.#record = record;
    this.#io = io;
  }

  async run(audit: {
    chain(): Promise<number>;
    verify(): AsyncIterable<{ problem?: string }>;
  }): Promise<DemoSummary> {
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
    return await this.#summary(audit, { ordered, devices, batches, rows });
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
      eligibility: {},
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
        for (let pack = 0, packs = 1; pack < packs; pack++) {
          const output = await operator.client.execute('es2f', 'getOrderOutput', { orderId: ORDER_ID, pack });
          packs = Number(output.packs);
          const { plaintext } = await compactDecrypt(String(output.jwe), outputKey.privateKey);
          for (const line of Buffer.from(plaintext).toString('utf8').trim().split('\n')) {
            const row = JSON.parse(line) as Record<string, string>;
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
      'The EUM sends eUICC data to the device maker (path B)',
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
        ...(path === 'B' && pathB !== undefined ? { euiccData: pathB } : {}),
      }));
    const encoded = requests.map(encodeBppRequest);
    for (const [i, request] of encoded.entries()) this.#keep(`bpp-request-${i + 1}.der`, request);
    await this.#record.step(
      '5',
      'Esbpp',
      'The device maker requests Bound Profile Packages',
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
      'The device maker receives the BPPs with the SM-DPf chain',
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
      'The FPA hands the results to the device maker',
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
      'device maker',
      'The device maker writes the Profile Loading Report',
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

  async #summary(
    audit: { chain(): Promise<number>; verify(): AsyncIterable<{ problem?: string }> },
    {
      ordered,
      devices,
      batches,
      rows,
    }: {
      ordered: number;
      devices: readonly Device[];
      batches: readonly Bytes[];
      rows: Map<string, Record<string, string>>;
    },
  ): Promise<DemoSummary> {
    const { operator, callbacks } = this.#world;
    const status = await operator.getOrderStatus(ORDER_ID);
    const states = status.counts as Record<string, number>;
    this.#outcomesInTrouble(devices, status.items as { eid?: string; state: string; detail?: string }[]);
    let readBackEqual = 0;
    for (const { eid, bound } of batches.flatMap((batch) => decodeBppBatch(batch).items)) {
      if (bound === undefined) continue;
      const upp = devices.find(({ euicc }) => euicc.eid === eid)?.card.installedProfile(bound.iccid);
      const row = rows.get(bound.iccid);
      if (
        upp !== undefined &&
        row !== undefined &&
        !auditPersonalisation(upp, row).some(({ code }) => code === 'differs')
      )
        readBackEqual += 1;
    }
    await audit.chain();
    let auditLines = 0;
    for await (const { problem } of audit.verify()) {
      if (problem !== undefined) throw new Fault('invariant', `the audit log does not verify: ${problem}`);
      auditLines += 1;
    }
    const bound = countBound(batches);
    const wanted = countItems(batches);
    const settled = Object.entries(states)
      .filter(([state]) => state !== 'Available')
      .reduce((sum, [, count]) => sum + count, 0);
    const installed = states.Installed ?? 0;
    return {
      ordered,
      devices: this.#options.devices,
      devicesInTrouble: devices.length - this.#options.devices,
      wanted,
      bound,
      refused: wanted - bound,
      states,
      callbacks: callbacks.received.length,
      readBackEqual,
      auditLines,
      addsUp:
        settled === bound && settled + (states.Available ?? 0) === ordered && readBackEqual === installed,
    };
  }

  #outcomesInTrouble(
    devices: readonly Device[],
    items: readonly { eid?: string; state: string; detail?: string }[],
  ): void {
    const troubles = [
      ['tampered', 'a Bound Profile Package with one bit flipped on its way', 'Failed scp03tSecurityError'],
      ['damaged', 'an eUICC that never answers', 'Unreported damaged'],
      ['powerCut', 'an eUICC that loses power in the middle', 'Installed'],
      ['silent', 'an eUICC whose answer is lost on the line', 'Installed'],
    ] as const;
    for (const [trouble, what, expected] of troubles) {
      const device = devices.find((one) => one.trouble === trouble);
      const item = items.find(({ eid }) => eid === device?.euicc.eid);
      this.#record.trouble(what, expected, [item?.state, item?.detail].filter(Boolean).join(' '));
    }
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
      ...(n > 0 ? { additional: true } : {}),
    })),
  );
}

const countItems = (batches: readonly Bytes[]) =>
  batches.reduce((sum, batch) => sum + decodeBppBatch(batch).items.length, 0);
const countBound = (batches: readonly Bytes[]) =>
  batches.reduce(
    (sum, batch) => sum + decodeBppBatch(batch).items.filter(({ bound }) => bound !== undefined).length,
    0,
  );

/** Flips one bit in the last octet of a package on its way to the line. */
function tamperWith(batch: Bytes, devices: readonly Device[]): Bytes {
  const victims = new Set(
    devices.filter(({ trouble }) => trouble === 'tampered').map(({ euicc }) => euicc.eid),
  );
  const { requestId, chains, items } = decodeBppBatch(batch);
  return encodeBppBatch({
    requestId,
    chains,
    items: items.map((item) => {
      if (item.bound === undefined || !victims.has(item.eid)) return item;
      const bpp = Uint8Array.from(item.bound.bpp);
      bpp[bpp.length - 1]! ^= 1;
      return { ...item, bound: { ...item.bound, bpp } };
    }),
  });
}

function forgedReport(factory: Factory): Bytes | undefined {
  const genuine = factory.outcomes.find(({ result }) => result !== undefined)?.result;
  if (genuine === undefined) return undefined;
  const forged = Uint8Array.from(genuine);
  forged[forged.length - 1]! ^= 1;
  const items: ReportItem[] = [{ euiccResult: forged, at: new Date() }];
  return encodeProfileLoadingReport({ reportId: randomBytes(4), items });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
