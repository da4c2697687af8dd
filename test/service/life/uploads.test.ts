import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { Refusal } from '../../../shared/errors.ts';
import type { TransferPurpose } from '../../../shared/service/api/transfers.ts';
import { closeLane } from '../../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { Reaper } from '../../../shared/service/life/reaper.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { csvOf, secretRows } from '../../support/row-sources.ts';
import { sendUpload } from '../../support/uploads.ts';
import { TEMPLATE } from '../scenario.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
let deployment: Deployment;
let ahead = 0;

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    now: () => Date.now() + ahead,
    config: { uploads: { count: 3, octets: 1_000_000 } },
  });
});
afterAll(() => deployment?.close());

const refusal = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof Refusal ? error : undefined;
};

async function opened(caller: typeof EUM, purpose: TransferPurpose, content: Bytes): Promise<string> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const { transfers } = deployment.runtime.services;
  return (await transfers.openTransfer(caller, { purpose, size: content.length, sha256 })).transferId;
}

const uploaded = (caller: typeof EUM, purpose: TransferPurpose, content: Bytes) =>
  sendUpload(deployment.runtime, caller, purpose, content);

const isThere = async (transferId: string) =>
  (await deployment.runtime.context.vault.head(`uploads/${transferId}`)) !== undefined;

async function reap(): Promise<void> {
  const reaper = new Reaper(deployment.runtime.context, closeLane);
  await reaper.round();
  ahead += 15 * MINUTE + 1;
  await reaper.round();
}

describe('uploads of a party', { tags: ['I10', 'I13'] }, () => {
  const content = Buffer.alloc(400_000, 7);

  it('are bounded in number and octets from the grant on, and say when to try again (I13)', async () => {
    const { transfers } = deployment.runtime.services;
    await uploaded(DEVICE_MAKER, 'bppRequest', content);
    await opened(DEVICE_MAKER, 'bppRequest', content);
    const tooMuch = await refusal(opened(DEVICE_MAKER, 'bppRequest', content));
    expect(tooMuch?.code).toBe('rateExceeded');
    expect(tooMuch?.message).toMatch(/try again in 300 s$/);
    await opened(DEVICE_MAKER, 'bppRequest', Buffer.alloc(1));
    expect((await refusal(opened(DEVICE_MAKER, 'bppRequest', Buffer.alloc(1))))?.code).toBe('rateExceeded');
    // each party has its own
    expect(transfers).toBeDefined();
    await opened(EUM, 'euiccData', content);
    // grants whose links are over and that were not used count no more
    ahead += 300_001;
    await opened(DEVICE_MAKER, 'bppRequest', content);
    const stored = await refusal(opened(DEVICE_MAKER, 'bppRequest', content));
    expect(stored?.message).toMatch(/try again in 300 s$/);
  });

  it('that nobody used go after a day, and one that is asked for is said to be over (I10)', async () => {
    const transferId = await uploaded(OPERATOR, 'template', TEMPLATE);
    ahead += DAY - MINUTE;
    await new Reaper(deployment.runtime.context, closeLane).round();
    expect(await isThere(transferId)).toBe(true);
    ahead += 2 * MINUTE;
    await reap();
    expect(await isThere(transferId)).toBe(false);
    const { transfers } = deployment.runtime.services;
    const gone = await refusal(transfers.received(OPERATOR, transferId, 'template'));
    expect(gone?.code).toBe('requestUnknown');
    expect(gone?.message).toMatch(/send the content again$/);
    // and count no more
    for (let i = 0; i < 2; i++) await opened(DEVICE_MAKER, 'bppRequest', content);
  });

  it('that are read where they lie stay for as long as that takes, and a day more where they are asked for', async () => {
    const { services, context } = deployment.runtime;
    const euiccs = [...deployment.eum.production(2, 1)];
    const batch = deployment.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
    const transferId = await uploaded(EUM, 'euiccData', batch);
    const object = () => services.transfers.receivedObject(EUM, transferId, 'euiccData');
    expect(await services.ingest.registerEuiccData(EUM, await object())).toMatchObject({ state: 'Done' });
    ahead += DAY - MINUTE;
    expect(await services.ingest.registerEuiccData(EUM, await object())).toMatchObject({ state: 'Done' });
    ahead += 2 * MINUTE;
    await reap();
    expect(await isThere(transferId)).toBe(false);
    expect((await refusal(object()))?.code).toBe('requestUnknown');
    expect(context).toBeDefined();
  });

  it('of rows are in use until the order is open, and then go at once, known by size and hash', async () => {
    const { services } = deployment.runtime;
    const rows = csvOf(secretRows(2).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! })));
    const transferId = await uploaded(OPERATOR, 'rows', rows);
    const order = async () =>
      deployment.order('UPLOADED', 2, TEMPLATE, {
        rows: await services.transfers.receivedObject(OPERATOR, transferId, 'rows'),
        personalisation: { format: 'csv', keys: 'template' },
      });
    expect(await services.orders.prepareProfiles(OPERATOR, await order())).toMatchObject({ state: 'Open' });
    expect(await isThere(transferId)).toBe(false);
    ahead += 2 * DAY;
    await reap();
    expect(await services.orders.prepareProfiles(OPERATOR, await order())).toMatchObject({ state: 'Open' });
  });

  it('whose day is over cannot be taken into use beside the reaper', async () => {
    const { services } = deployment.runtime;
    const rows = csvOf([{ iccid: '893317900000000001', imsi: '001010000000777' }]);
    const transferId = await uploaded(OPERATOR, 'rows', rows);
    const ref = await services.transfers.receivedObject(OPERATOR, transferId, 'rows');
    ahead += DAY + 1;
    await new Reaper(deployment.runtime.context, closeLane).round();
    await deployment.runtime.context.vault.put(`uploads/${transferId}`, rows);
    const order = deployment.order('TOO-LATE', 1, TEMPLATE, {
      rows: ref,
      personalisation: { format: 'csv', keys: 'template' },
    });
    expect((await refusal(services.orders.prepareProfiles(OPERATOR, order)))?.code).toBe('requestUnknown');
  });
});
