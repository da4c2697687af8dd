import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { openSandbox, SANDBOX_EUM } from '../../cli/deployment/sandbox.ts';
import { DevelopmentPki, fingerprintOf, notAfterOf } from '../../cli/deployment/tls.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import { encodeBppRequest, SimEum } from '../../sim/index.ts';
import { largeBatch } from '../ingest/batch.ts';
import type { PartyEnd } from './post.ts';

export const ORDER = 'LOAD-1';
/** requestId of the job that is polled. */
export const JOB = Buffer.from('0a0b', 'hex');
export const POLLER = '2.999.50';
const VICTIM = '2.999.51';
const REQUEST = 'bench/request';

export interface LoadWanted {
  readonly port: number;
  readonly fieldPort: number;
  readonly chunkSize: number;
  /** Of the finished job. */
  readonly items: number;
  /** eUICCs besides, for just-in-time calls. */
  readonly spare: number;
}

export interface LoadWorld {
  readonly ca: string;
  readonly poller: PartyEnd['tls'];
  readonly victim: PartyEnd['tls'];
  /** EIDs for which nothing is bound yet. */
  readonly spare: readonly string[];
}

/**
 * A deployment with two device manufacturers and a finished job of one of them. What the bench is not about goes in by
 * the services, and eUICCs in the quick way of the bench of the ingest: 60,000 items by HTTP and the simulated EUM took
 * most of an hour. `told` hears how far it is.
 */
export async function prepareLoad(
  folder: string,
  { port, fieldPort, chunkSize, items, spare }: LoadWanted,
  told: (text: string) => void,
): Promise<LoadWorld> {
  const deployment = await DeploymentFolder.open(folder, { port, fieldPort, runtime: { chunkSize } });
  const runtime = await deployment.openRuntime({ lanes: 'workers' });
  const pki = await DevelopmentPki.open(deployment.path('tls'));
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  const eum = new SimEum({ ca: eumCa, ci: ci.certificate });
  const [poller, victim] = [
    await register(runtime, pki, 'poller', POLLER),
    await register(runtime, pki, 'victim', VICTIM),
  ];
  const eids = await ingest(runtime, eum, items + spare, join(folder, 'entries'), told);
  await order(runtime, eids.length, told);
  await bind(runtime, eids.slice(0, items), told);
  await runtime.audit.chain();
  await runtime.close();
  return { ca: pki.caCertificate, poller, victim, spare: eids.slice(items) };
}

async function register(
  { services }: Runtime,
  pki: DevelopmentPki,
  name: string,
  identifier: string,
): Promise<PartyEnd['tls']> {
  const tls = await pki.client(name);
  const party = { identifier, role: 'deviceMaker', name, notAfterMs: notAfterOf(tls.cert) } as const;
  await services.parties.add(fingerprintOf(tls.cert), party, 'bench');
  return tls;
}

/** The EIDs that are registered then, each with a one-time key. */
async function ingest(
  { context, services }: Runtime,
  eum: SimEum,
  count: number,
  file: string,
  told: (text: string) => void,
): Promise<readonly string[]> {
  const eids: string[] = [];
  const entries = largeBatch(eum, count, [POLLER, VICTIM], file, (eid) => eids.push(eid));
  const batch = await context.vault.putStream('bench/batch', entries);
  told(`${count} eUICCs made`);
  const caller: Caller = { identifier: SANDBOX_EUM, role: 'eum', fingerprint: '' };
  for (;;) {
    const { state, accepted } = await services.ingest.registerEuiccData(caller, batch);
    told(`${accepted} of ${count} eUICCs registered`);
    if (state === 'Done') return eids;
    await delay(TOLD_MS);
  }
}

async function order({ services }: Runtime, quantity: number, told: (text: string) => void): Promise<void> {
  const operator: Caller = { identifier: '2.999.60', role: 'operator', fingerprint: '' };
  await services.orders.prepareProfiles(operator, {
    orderId: ORDER,
    profileType: 'load',
    quantity,
    requesterDms: [POLLER, VICTIM],
    template: ownTemplate(),
    personalisation: { iccidStart: '890010000000000000', imsiStart: '001010000000001', keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  });
  for (;;) {
    const { state, prepared } = await services.orders.getOrderStatus(operator, { orderId: ORDER, limit: 1 });
    told(`order ${state}, ${prepared} of ${quantity} profiles`);
    if (state === 'Open') return;
    await delay(TOLD_MS);
  }
}

async function bind(
  { context, services }: Runtime,
  eids: readonly string[],
  told: (text: string) => void,
): Promise<void> {
  const maker: Caller = { identifier: POLLER, role: 'deviceMaker', fingerprint: '' };
  const items = eids.map((eid, i) => ({ itemId: i + 1, eid }));
  const der = encodeBppRequest({ requestId: JOB, orderId: ORDER, items });
  await context.vault.put(REQUEST, der);
  let answer = await services.delivery.requestBpp(maker, der);
  while (answer.state !== 'Done') {
    told(`${answer.processed} of ${eids.length} bound`);
    await delay(TOLD_MS);
    answer = await services.delivery.getBppBatch(maker, { requestId: JOB.toString('hex') });
  }
  told(`${eids.length - answer.failed.length} of ${eids.length} bound`);
}

/** Between two words on how far it is. */
const TOLD_MS = 2_000;
