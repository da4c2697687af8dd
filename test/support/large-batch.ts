import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { readTlvHeader, tlv } from '../../shared/codec/tlv.ts';
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
export function large(batch: Bytes, change: (entries: Buffer) => Bytes = (entries) => entries): Bytes {
  const outer = readTlvHeader(batch);
  const { entriesAt } = readEuiccDataStart(batch, batch.length);
  const list = readTlvHeader(batch, entriesAt);
  const end = entriesAt + list.headerLength + list.length;
  const own = batch.subarray(entriesAt + list.headerLength, end);
  const entries = change(Buffer.from(concat(own, ...Array.from({ length: JUNK_ENTRIES }, () => JUNK))));
  return tlv(0xff60, batch.subarray(outer.headerLength, entriesAt), tlv(0xa6, entries), batch.subarray(end));
}

/** The large batch with a length in its middle that reaches beyond all entries. */
export const brokenInTheMiddle = (batch: Bytes): Bytes =>
  large(batch, (entries) => {
    const at = entries.length - 5 * JUNK.length;
    entries.writeUInt32BE(0x30_83_ff_ff, at);
    return entries;
  });
