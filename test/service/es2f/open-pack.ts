import { type Bytes, concat, wipe } from '../../../shared/codec/bytes.ts';
import { readTlv } from '../../../shared/codec/tlv.ts';
import { BspOpener } from '../../../shared/crypto/bsp.ts';
import { ppkBspKeys } from '../../../shared/profile/ppk.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { PackReader } from '../../../shared/service/supply/packs.ts';

/** The profile at a position in clear, opened with its PPK out of the PPK vault: only a test does that. */
export async function openProfile(
  { context }: Runtime,
  orderId: string,
  position: number,
): Promise<{ iccid: string; upp: Bytes }> {
  const stored = (await new PackReader(context, orderId).read([position])).get(position);
  if (stored?.kind !== 'whole') throw new Error(`position ${position} of ${orderId} has no PPK`);
  const opener = new BspOpener(ppkBspKeys(stored.ppk));
  const { segments } = stored.entry;
  const parts: Bytes[] = [];
  for (let at = 0; at < segments.length; ) {
    const element = readTlv(segments, at);
    parts.push(opener.decrypt(element));
    at += element.raw.length;
  }
  wipe(stored.ppk.ppkEnc, stored.ppk.ppkCmac);
  return { iccid: stored.iccid, upp: concat(...parts) };
}
