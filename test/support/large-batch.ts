import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { readTlvHeader, splitElements, tlv } from '../../shared/codec/tlv.ts';
import { readEuiccDataStart } from '../../shared/ifpp-draft1/euicc-data-scan.ts';

/** More than what is verified within a call. */
const LARGE = 1024 * 1024 + 1;
/** Of an entry that is none: as large as entries may be. */
const JUNK = tlv(0x30, tlv(0x9f7f, Buffer.alloc(60_000)));

export const JUNK_ENTRIES = Math.ceil(LARGE / JUNK.length);

/**
 * The batch with so many entries behind its own that are none that it is large, made in no time. Only `JUNK_ENTRIES`, each
 * refused by itself, are more; `change` is given the entries before they are put together again.
 */
export const large = (batch: Bytes, change: (entries: Buffer) => Bytes = (entries) => entries): Bytes =>
  withEntries(batch, (own) =>
    change(Buffer.from(concat(own, ...Array.from({ length: JUNK_ENTRIES }, () => JUNK)))),
  );

/** An entry that is none, and next to nothing. */
const SCRAP = tlv(0x30, tlv(0x9f7f, Buffer.alloc(8)));

/** The batch with so many entries that are none behind each of its own, which so lie in many slices. */
export const scattered = (batch: Bytes, scraps: number): Bytes =>
  withEntries(batch, (own) =>
    concat(...splitElements(own).flatMap((entry) => [entry, ...Array.from({ length: scraps }, () => SCRAP)])),
  );

/** The batch with what is made of its entries in place of them. */
export function withEntries(batch: Bytes, change: (own: Bytes) => Bytes): Bytes {
  const outer = readTlvHeader(batch);
  const { entriesAt } = readEuiccDataStart(batch, batch.length);
  const list = readTlvHeader(batch, entriesAt);
  const end = entriesAt + list.headerLength + list.length;
  const own = batch.subarray(entriesAt + list.headerLength, end);
  return tlv(
    0xff60,
    batch.subarray(outer.headerLength, entriesAt),
    tlv(0xa6, change(own)),
    batch.subarray(end),
  );
}

/** The large batch with a length in its middle that reaches beyond all entries. */
export const brokenInTheMiddle = (batch: Bytes): Bytes =>
  large(batch, (entries) => {
    const at = entries.length - 5 * JUNK.length;
    entries.writeUInt32BE(0x30_83_ff_ff, at);
    return entries;
  });
