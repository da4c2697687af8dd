import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import type { Refusal } from '../../../shared/errors.ts';
import { scanAllSpread } from '../../../shared/ledger/scan.ts';
import type { EuiccDataAnswer } from '../../../shared/service/api/esed1.ts';
import { ingestIdOf } from '../../../shared/service/esed1/euicc-batches.ts';
import { ingestRecord } from '../../../shared/service/records/ingest.ts';
import { ledgerKeys, traceStripes } from '../../../shared/service/records/keys.ts';
import { traceRecord } from '../../../shared/service/records/trace.ts';
import { DEVICE_MAKER, Deployment, EUM } from '../../support/deployment.ts';
import { brokenInTheMiddle, JUNK_ENTRIES, large } from '../../support/large-batch.ts';
import { refusalOf } from '../../support/refusal.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none' });
});
afterAll(() => deployment?.close());

const batchOf = (batchId: Bytes = randomBytes(8)) =>
  deployment.eum.euiccDataBatch([deployment.eum.personalise()], {
    batchId,
    deviceManufacturers: [DEVICE_MAKER.identifier],
  });

const register = (batch: Bytes) => deployment.runtime.services.ingest.registerEuiccData(EUM, batch);

/** All open work to its end, as a server does it; how many kinds of it there were. */
async function workOff(): Promise<string[]> {
  const { work, context } = deployment.runtime;
  const kinds: string[] = [];
  for (;;) {
    const [open] = (await context.ledger.query('open-work')).items;
    if (open === undefined) return kinds;
    const [kind, id] = open.sort.split('#') as ['frames' | 'euiccData', string];
    kinds.push(kind);
    await work.runTask(kind, id, 0);
    // a repeat changes nothing
    await work.runTask(kind, id, 0);
    expect(await work.finish(kind, id)).toBe(true);
  }
}

const accepted = (answer: EuiccDataAnswer) => [answer.state, answer.entries, answer.accepted];

describe('a large batch of eUICC data is taken on before it is read', { tags: ['DPFF10'] }, () => {
  it('and read and verified as work, of which the same call tells', async () => {
    const batch = large(batchOf());
    expect(accepted(await register(batch))).toEqual(['Pending', undefined, 0]);
    expect(accepted(await register(batch))).toEqual(['Pending', undefined, 0]);
    expect(await workOff()).toEqual(['frames', 'euiccData']);
    const answer = await register(batch);
    expect(accepted(answer)).toEqual(['Done', 1 + JUNK_ENTRIES, 1]);
    expect(answer.rejected.map(({ code }) => code)).toEqual(Array(JUNK_ENTRIES).fill('protocolFormat'));
  });

  it('from a head of bounded length: nothing else of it is read within the call', async () => {
    const { vault } = deployment.runtime.context;
    const batch = await vault.put('euicc-data/head', large(batchOf()));
    const { getStream } = vault;
    vault.getStream = () => {
      throw new Error('the whole batch is read within the call');
    };
    try {
      expect((await deployment.runtime.services.ingest.registerEuiccData(EUM, batch)).state).toBe('Pending');
    } finally {
      vault.getStream = getStream;
    }
    await workOff();
  });

  it('but not of an EUM that the caller does not speak for, nor one whose head is none', async () => {
    const stranger = { ...EUM, identifier: '2.999.41' };
    const { ingest } = deployment.runtime.services;
    expect(await refusalOf(ingest.registerEuiccData(stranger, large(batchOf())))).toMatchObject({
      code: 'requesterNotAllowed',
    });
    expect(await refusalOf(register(large(batchOf()).subarray(0, -1)))).toMatchObject({
      code: 'protocolFormat',
    });
    expect(await workOff()).toEqual([]);
  });
});

describe('a large batch that turns out to be none', { tags: ['DPFF10'] }, () => {
  const told = ({ code, message, offset, subjectIdentifier }: Refusal) => ({
    code,
    message,
    offset,
    subjectIdentifier,
  });

  it('is refused when it is asked for, each time by the same rule and place', async () => {
    const batch = brokenInTheMiddle(batchOf());
    expect((await register(batch)).state).toBe('Pending');
    expect(await workOff()).toEqual(['frames']);
    const refusal = await refusalOf(register(batch));
    expect(told(refusal)).toMatchObject({ code: 'protocolFormat', subjectIdentifier: 'FF60' });
    expect(refusal.message).toContain('an entry reaches beyond the list of entries');
    expect(refusal.offset).toBeGreaterThan(batch.length / 2);
    expect(told(await refusalOf(register(batch)))).toEqual(told(refusal));
    expect(await workOff()).toEqual([]);
  });

  it('leaves its batchId to another content, which takes its place', async () => {
    const batchId = randomBytes(8);
    const broken = brokenInTheMiddle(batchOf(batchId));
    await register(broken);
    await workOff();
    const batch = large(batchOf(batchId));
    expect((await register(batch)).state).toBe('Pending');
    await workOff();
    expect(accepted(await register(batch))).toEqual(['Done', 1 + JUNK_ENTRIES, 1]);
    expect(await refusalOf(register(broken))).toMatchObject({ code: 'requestChanged' });
    const { ingests } = await deployment.runtime.services.inventory.listIngests({ limit: 50 });
    const named = batchId.toString('hex').toUpperCase();
    expect(ingests.filter((one) => one.batchId === named).map(({ state }) => state)).toEqual(['Done']);
  });

  it('is shown to the Operator with its reason, and its octets go a day later', async () => {
    const batchId = randomBytes(8);
    await register(brokenInTheMiddle(batchOf(batchId)));
    await workOff();
    const { inventory } = deployment.runtime.services;
    const named = batchId.toString('hex');
    const { ingests } = await inventory.listIngests({ limit: 50 });
    expect(ingests.find((one) => one.batchId === named.toUpperCase())).toMatchObject({
      state: 'Refused',
      accepted: 0,
      reason: { subjectCode: '1.3.1', reasonCode: '2.1' },
    });
    const { ledger, vault } = deployment.runtime.context;
    const item = await ledger.get(ledgerKeys.ingest(ingestIdOf(EUM.identifier, named)));
    const { batch } = ingestRecord.from(item!);
    expect(await vault.head(batch.name)).toBeDefined();
    const ends = (await scanAllSpread(ledger, traceStripes)).map(traceRecord.from);
    expect(ends.filter(({ objects }) => objects.includes(batch.name)).map(({ kind }) => kind)).toEqual([
      'used',
    ]);
  });

  it('because of what is trusted is read again once that has changed', async () => {
    const { trustAdministration } = deployment.runtime;
    const { certificate } = deployment.eum.ca;
    const batch = large(batchOf());
    await register(batch);
    await trustAdministration.revokeEum(Buffer.from(deployment.eum.ca.keyId).toString('hex'), 'test');
    await workOff();
    expect(await refusalOf(register(batch))).toMatchObject({ code: 'eumNotAllowed' });
    await trustAdministration.allowEum(certificate, { party: EUM.identifier }, 'test');
    expect((await register(batch)).state).toBe('Pending');
    await workOff();
    expect(accepted(await register(batch))).toEqual(['Done', 1 + JUNK_ENTRIES, 1]);
  });
});

it('a large batch goes from its reading to its end by itself where a server has lanes', async () => {
  const served = await Deployment.create({ memory: true });
  try {
    const batch = large(
      served.eum.euiccDataBatch([served.eum.personalise()], {
        deviceManufacturers: [DEVICE_MAKER.identifier],
      }),
    );
    const { ingest } = served.runtime.services;
    let answer = await ingest.registerEuiccData(EUM, batch);
    while (answer.state === 'Pending') {
      await delay(10);
      answer = await ingest.registerEuiccData(EUM, batch);
    }
    expect(accepted(answer)).toEqual(['Done', 1 + JUNK_ENTRIES, 1]);
  } finally {
    await served.close();
  }
});
