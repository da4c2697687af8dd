import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder, type FolderOptions } from '../../cli/deployment/folder.ts';
import { openSandbox, SANDBOX_EUM } from '../../cli/deployment/sandbox.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import { encodeBppRequest, SimEum } from '../../sim/index.ts';
import { largeBatch } from '../ingest/batch.ts';
import { FIRST, FIRST_ID, MAKER, ORDER, REQUEST, REQUEST_ID } from './names.ts';

/** A deployment with an open order, eUICCs with a one-time key each, a request for `items` of them in its vault and a first one for `before` others. The EIDs of the former. */
export async function prepareJob(
  folder: string,
  { items, before }: { readonly items: number; readonly before: number },
  options: FolderOptions = {},
): Promise<readonly string[]> {
  const deployment = await DeploymentFolder.open(folder, options);
  const runtime = await deployment.openRuntime({ lanes: 'workers' });
  const { context, services } = runtime;
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  const eum = new SimEum({ ca: eumCa, ci: ci.certificate });
  const eids: string[] = [];
  const batch = await context.vault.putStream(
    'bench/batch',
    largeBatch(eum, items + before, [MAKER], join(folder, 'entries'), (eid) => eids.push(eid)),
  );
  const eumCaller: Caller = { identifier: SANDBOX_EUM, role: 'eum', fingerprint: '' };
  await services.ingest.registerEuiccData(eumCaller, batch);
  while ((await context.ledger.query('open-work')).items.length > 0) await delay(200);

  const operator: Caller = { identifier: '2.999.60', role: 'operator', fingerprint: '' };
  const order = {
    orderId: ORDER,
    profileType: 'bench',
    quantity: items + before,
    requesterDms: [MAKER],
    template: ownTemplate(),
    personalisation: { iccidStart: '890010000000000000', imsiStart: '001010000000001', keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  } as const;
  while ((await services.orders.prepareProfiles(operator, order)).state === 'Preparing') await delay(200);
  const requestOf = (requestId: Buffer, of: readonly string[]) =>
    encodeBppRequest({ requestId, orderId: ORDER, items: of.map((eid, i) => ({ itemId: i + 1, eid })) });
  await context.vault.put(FIRST, requestOf(FIRST_ID, eids.slice(0, before)));
  await context.vault.put(REQUEST, requestOf(REQUEST_ID, eids.slice(before)));
  await runtime.close();
  return eids.slice(before);
}
