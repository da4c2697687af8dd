import { randomBytes } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import {
  decodeBppBatch,
  encodeBppBatch,
  encodeProfileLoadingReport,
  type Factory,
  type ReportItem,
} from '../../sim/index.ts';
import type { Device } from './world.ts';

/** Flips one bit in the last octet of a package on its way to the line. */
export function tamperWith(batch: Bytes, devices: readonly Device[]): Bytes {
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

/** A report of one genuine result with the last bit of its signature flipped. */
export function forgedReport(factory: Factory): Bytes | undefined {
  const genuine = factory.outcomes.find(({ result }) => result !== undefined)?.result;
  if (genuine === undefined) return undefined;
  const forged = Uint8Array.from(genuine);
  forged[forged.length - 1]! ^= 1;
  const items: ReportItem[] = [{ euiccResult: forged, at: new Date() }];
  return encodeProfileLoadingReport({ reportId: randomBytes(4), items });
}
