import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { generateKey } from '../../sim/curve.ts';
import { SoftEuicc } from '../../sim/euicc.ts';
import { SimEum } from '../../sim/eum.ts';
import { Factory, FactoryUnplugged } from '../../sim/factory.ts';
import {
  type BppItem,
  decodeProfileLoadingReport,
  encodeBppBatch,
  type ReportItem,
} from '../../sim/ifpp-draft1.ts';
import { SimCi } from '../../sim/pki.ts';
import { buildBpp, buildMetadata, buildUpp } from './bpp-builder.ts';
import { readResult } from './installer.ts';

const folder = mkdtempSync(join(tmpdir(), 'factory-'));
afterAll(() => rmSync(folder, { recursive: true }));
let journals = 0;

/** `count` eUICCs with a BPP each, in one batch. */
class Line {
  readonly journalFile = join(folder, `journal-${journals++}`);
  readonly euiccs = new Map<string, SoftEuicc>();
  readonly apdus = new Map<string, number>();
  readonly batch: Bytes;

  constructor(count: number) {
    const ci = SimCi.create();
    const eum = SimEum.create({ ci });
    const dpPbKey = generateKey('p256');
    const items: BppItem[] = [];
    for (const [index, personalised] of [...eum.production(count)].entries()) {
      const { eid, oneTimeKeys } = personalised;
      const [key] = oneTimeKeys;
      if (key === undefined) throw new Error('no one-time key');
      const iccid = `89882110000000${String(index).padStart(5, '0')}`;
      const transactionId = randomBytes(16);
      const content = { metadata: buildMetadata({ iccid }), upp: buildUpp({ iccid }) };
      const bpp = buildBpp({ eid, otPk: key.key.point, dpPbKey, transactionId, ...content });
      this.euiccs.set(eid, SoftEuicc.create(personalised));
      items.push({ itemId: index, eid, bound: { transactionId, keyId: key.keyId, iccid, chain: 0, bpp } });
    }
    items.push({
      itemId: count,
      eid: eum.personalise().eid,
      failed: { subjectCode: '8.2.5', reasonCode: '4.3', message: 'not eligible' },
    });
    const certificates = [ci.issueDpPb(dpPbKey, { oid: '2.999.10' })];
    this.batch = encodeBppBatch({
      requestId: randomBytes(16),
      chains: [{ ciPkId: ci.keyId, certificates }],
      items,
    });
  }

  factory(unplugAfterApdus = Number.POSITIVE_INFINITY): Factory {
    return new Factory({
      journalFile: this.journalFile,
      unplugAfterApdus,
      reader: (eid) => {
        const euicc = this.euiccs.get(eid);
        if (euicc === undefined) return undefined;
        return {
          reset: () => euicc.reset(),
          transmit: (apdu) => {
            this.apdus.set(eid, (this.apdus.get(eid) ?? 0) + 1);
            return euicc.transmit(apdu);
          },
        };
      },
    });
  }

  euicc(index: number): SoftEuicc {
    const euicc = [...this.euiccs.values()][index];
    if (euicc === undefined) throw new Error(`no eUICC ${index}`);
    return euicc;
  }
}

function kindOf(item: ReportItem): string {
  return 'fpaError' in item ? item.fpaError.cause : Object.keys(item)[0]!;
}

describe('Factory', () => {
  it('loads each bound item and reports the signed results in the order of the batch', async () => {
    const line = new Line(3);
    const factory = line.factory();
    expect(await factory.load(line.batch)).toHaveLength(3);
    const report = decodeProfileLoadingReport(factory.report(Uint8Array.of(1), [line.batch]));
    expect(report.items.map(kindOf)).toEqual(['euiccResult', 'euiccResult', 'euiccResult']);
    for (const [index, item] of report.items.entries()) {
      if (!('euiccResult' in item)) throw new Error('no result');
      expect(readResult(item.euiccResult, line.euicc(index).euiccCert)).toBe('installed');
    }
  });

  it('names what the eUICC did not do: unreachable, damaged, badStatusWord, notAttempted', async () => {
    const line = new Line(4);
    line.euiccs.delete(line.euicc(3).eid);
    line.euicc(0).faults.damaged = true;
    line.euicc(1).lockFpa();
    const factory = line.factory();
    const nothingYet = decodeProfileLoadingReport(factory.report(Uint8Array.of(1), [line.batch]));
    expect(nothingYet.items.map(kindOf)).toEqual(Array(4).fill('notAttempted'));
    await factory.load(line.batch);
    const { items } = decodeProfileLoadingReport(factory.report(Uint8Array.of(2), [line.batch]));
    expect(items.map(kindOf)).toEqual(['damaged', 'badStatusWord', 'euiccResult', 'unreachable']);
    expect(items[1]).toMatchObject({ fpaError: { statusWord: Buffer.from('6985', 'hex') } });
  });

  it('tries an eUICC that lost power again with the same BPP', async () => {
    const line = new Line(1);
    line.euicc(0).faults.powerCutAfterApdus = 5;
    const [outcome] = await line.factory().load(line.batch);
    expect(readResult(outcome?.result ?? new Uint8Array(), line.euicc(0).euiccCert)).toBe('installed');
  });

  it('goes on after the line was unplugged at any point, and loads no device twice', async () => {
    const plain = new Line(2);
    await plain.factory().load(plain.batch);
    const total = [...plain.apdus.values()].reduce((sum, count) => sum + count, 0);
    for (let cut = 0; cut < total; cut++) {
      const line = new Line(2);
      await expect(line.factory(cut).load(line.batch)).rejects.toThrow(FactoryUnplugged);
      const before = line.apdus.get(line.euicc(0).eid);
      const restarted = line.factory();
      const firstWasDone = restarted.outcomes.length === 1;
      await restarted.load(line.batch);
      if (firstWasDone) expect(line.apdus.get(line.euicc(0).eid)).toBe(before);
      const { items } = decodeProfileLoadingReport(restarted.report(Uint8Array.of(1), [line.batch]));
      expect(items.map(kindOf)).toEqual(['euiccResult', 'euiccResult']);
      for (const euicc of line.euiccs.values()) expect(euicc.installedIccids).toHaveLength(1);
    }
  });

  it('takes a journal whose last line was cut off', async () => {
    const line = new Line(2);
    await line.factory().load(line.batch);
    appendFileSync(line.journalFile, '{"transactionId":"00');
    const again = line.factory();
    expect(again.outcomes).toHaveLength(2);
    expect(line.factory().outcomes.map(({ eid }) => eid)).toEqual(again.outcomes.map(({ eid }) => eid));
  });

  it('reports a deletion as otherSigned', async () => {
    const line = new Line(1);
    const factory = line.factory();
    await factory.load(line.batch);
    const [iccid] = line.euicc(0).installedIccids;
    const [signed] = line.euicc(0).deleteProfile(iccid!);
    factory.addNotification(signed!);
    const { items } = decodeProfileLoadingReport(factory.report(Uint8Array.of(1), [line.batch]));
    expect(items.map(kindOf)).toEqual(['euiccResult', 'otherSigned']);
    expect(toHex((items[1] as { otherSigned: Bytes }).otherSigned)).toBe(toHex(signed!));
  });
});

it('an eUICC that was not there is looked for again in the next run', async () => {
  const line = new Line(2);
  const [eid, euicc] = [...line.euiccs][0]!;
  line.euiccs.delete(eid);
  await line.factory().load(line.batch);
  line.euiccs.set(eid, euicc);
  const fresh = await line.factory().load(line.batch);
  expect(fresh.map(({ eid: one, result }) => [one, result !== undefined])).toEqual([[eid, true]]);
});
