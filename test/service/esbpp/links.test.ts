import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transferGate } from '../../../cli/deployment/transfer-gate.ts';
import { Refusal } from '../../../shared/errors.ts';
import type { Caller } from '../../../shared/service/api/caller.ts';
import type { UsedLink } from '../../../shared/service/api/transfers.ts';
import { caller, DEVICE_MAKER, Deployment, EUM } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';

const OTHER = caller('2.999.51', 'deviceMaker');
/** A machine with much else to do is slow. */
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ config: { inlineLimit: 1_000, chunkSize: 2, packSize: 8 } });
});
afterAll(() => deployment?.close());

const codeOf = async (work: () => unknown) => {
  try {
    await work();
  } catch (error) {
    return error instanceof Refusal ? error.code : error;
  }
  return undefined;
};

/** The link as the server sees it when somebody uses it. */
function used(url: string, now = new Date()): UsedLink {
  const token = new URL(url).pathname.slice('/transfer/'.length);
  const transfer = transferGate(deployment.runtime.context.vault).openTransfer(token, now);
  const name = transfer.operation === 'download' ? transfer.ref.name : transfer.name;
  return { operation: transfer.operation, holder: transfer.holder, name };
}

const mayUse = (by: Caller, link: UsedLink) =>
  codeOf(() => deployment.runtime.services.transfers.requireMayUse(by, link));

/** Links to the parts of an answer with BPPs for two eUICCs each. */
async function links(orderId: string): Promise<string[]> {
  const { services } = deployment.runtime;
  await prepare(deployment, orderId, 4);
  const euiccs = await registered(deployment, 4);
  const request = new Request(
    orderId,
    euiccs.map(({ eid }) => ({ eid })),
  );
  await request.send(deployment.runtime);
  await expect.poll(async () => (await request.fetch(deployment.runtime)).state).toBe('Done');
  const { parts = [] } = await request.fetch(deployment.runtime);
  expect(parts).toHaveLength(2);
  const opened = parts.map(({ name }) =>
    services.transfers.getTransfer(DEVICE_MAKER, { requestId: request.hex, name }),
  );
  return (await Promise.all(opened)).map(({ downloadUrl }) => downloadUrl);
}

describe('a link of the embedded server', () => {
  it('to a part of an answer is of use to its party, again and again', async () => {
    for (const url of await links('LINK-1')) {
      expect(await mayUse(DEVICE_MAKER, used(url))).toBeUndefined();
      expect(await mayUse(DEVICE_MAKER, used(url))).toBeUndefined();
      expect(await mayUse(OTHER, used(url))).toBe('transferInvalid');
      expect(await mayUse(EUM, used(url))).toBe('transferInvalid');
    }
  });

  it('holds for five minutes, also where the clock is set back afterwards', async () => {
    const [url] = await links('LINK-2');
    const start = Date.now();
    expect(await codeOf(() => used(url!, new Date(start + 298_000)))).toBeUndefined();
    expect(await codeOf(() => used(url!, new Date(start + 301_000)))).toBe('transferExpired');
    expect(await codeOf(() => used(url!, new Date(start)))).toBe('transferExpired');
    expect(await codeOf(() => used(url!, new Date(start - 86_400_000)))).toBe('transferExpired');
  });

  it('to fill an upload is of no use once that was used', async () => {
    const { services, context } = deployment.runtime;
    const euiccs = [...deployment.eum.production(1, 1)];
    const batch = deployment.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
    const { transferId, uploadUrl } = await services.transfers.openTransfer(EUM, {
      purpose: 'euiccData',
      size: batch.length,
      sha256: createHash('sha256').update(batch).digest('hex'),
    });
    expect(await mayUse(EUM, used(uploadUrl))).toBeUndefined();
    expect(await mayUse(DEVICE_MAKER, used(uploadUrl))).toBe('transferInvalid');
    await context.vault.put(`uploads/${transferId}`, batch);
    await services.ingest.registerEuiccData(
      EUM,
      await services.transfers.receivedObject(EUM, transferId, 'euiccData'),
    );
    expect(
      await mayUse(EUM, { operation: 'upload', holder: { party: EUM.identifier }, name: 'uploads/0' }),
    ).toBe('transferInvalid');
  });

  it('serves no BPP of an EUM that was revoked since it was made (I6)', async () => {
    const [url] = await links('LINK-3');
    const link = used(url!);
    expect(await mayUse(DEVICE_MAKER, link)).toBeUndefined();
    const { trustAdministration } = deployment.runtime;
    const known = await trustAdministration.allowEum(
      deployment.eum.ca.certificate,
      { party: EUM.identifier },
      'test',
    );
    await trustAdministration.revokeEum(known, 'test');
    expect(await mayUse(DEVICE_MAKER, link)).toMatch(/^(transferInvalid|requestUnknown)$/);
  });
});
