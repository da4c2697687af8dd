import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from '../../sim/curve.ts';
import { SoftEuicc } from '../../sim/euicc.ts';
import { SimEum } from '../../sim/eum.ts';
import { type BppBatch, type BppItem, encodeBppBatch } from '../../sim/ifpp-draft1.ts';
import { SimCi } from '../../sim/pki.ts';
import { buildBpp, buildMetadata, buildUpp } from '../sim/bpp-builder.ts';

/** A batch in a folder, and a folder of cards for each station. */
export class Line {
  readonly folder = mkdtempSync(join(tmpdir(), 'station-'));
  readonly batchFile = join(this.folder, 'batch.der');
  readonly batch: BppBatch;
  /** EIDs of each station, in the order of the batch. */
  readonly stations: readonly (readonly string[])[];

  constructor(stations: number, each: number) {
    const ci = SimCi.create();
    const eum = SimEum.create({ ci });
    const dpPbKey = generateKey('p256');
    const items: BppItem[] = [];
    const eids: string[][] = [];
    for (const [index, personalised] of [...eum.production(stations * each)].entries()) {
      const { eid, oneTimeKeys } = personalised;
      const key = oneTimeKeys[0]!;
      const iccid = `89882110000000${String(index).padStart(5, '0')}`;
      const transactionId = randomBytes(16);
      const content = { metadata: buildMetadata({ iccid }), upp: buildUpp({ iccid }) };
      const bpp = buildBpp({ eid, otPk: key.key.point, dpPbKey, transactionId, ...content });
      items.push({ itemId: index, eid, bound: { transactionId, keyId: key.keyId, iccid, chain: 0, bpp } });
      const station = Math.floor(index / each);
      mkdirSync(this.cards(station), { recursive: true });
      SoftEuicc.create(personalised, { file: this.card(station, eid) });
      eids[station] = [...(eids[station] ?? []), eid];
    }
    this.stations = eids;
    const certificates = [ci.issueDpPb(dpPbKey, { oid: '2.999.10' })];
    this.batch = {
      requestId: randomBytes(16),
      chains: [{ ciPkId: ci.keyId, certificates }],
      items,
    };
    writeFileSync(this.batchFile, encodeBppBatch(this.batch));
  }

  cards(station: number): string {
    return join(this.folder, `cards-${station}`);
  }

  card(station: number, eid: string): string {
    return join(this.cards(station), `${eid}.json`);
  }

  /** Somebody puts a card into the wrong station. */
  misplace(eid: string, from: number, to: number): void {
    renameSync(this.card(from, eid), this.card(to, eid));
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
