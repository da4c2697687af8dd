import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { readTlvHeader, tlvHeader } from '../../shared/codec/tlv.ts';
import { readEuiccDataStart } from '../../shared/ifpp-draft1/euicc-data-scan.ts';
import type { SimEum } from '../../sim/index.ts';
import { productionEntries } from './production.ts';

/** An EuiccDataBatch of any size as a stream, whose EIDs are told before it begins; its entries go through a file, since their length comes before them. */
export async function* largeBatch(
  eum: SimEum,
  entries: number,
  deviceManufacturers: readonly string[],
  file: string,
  onEid?: (eid: string) => void,
): AsyncGenerator<Bytes> {
  const [first] = eum.production(1);
  const batch = eum.euiccDataBatch([first!], { deviceManufacturers });
  const { entriesAt } = readEuiccDataStart(batch, batch.length);
  const list = readTlvHeader(batch.subarray(entriesAt));
  const head = batch.subarray(readTlvHeader(batch).headerLength, entriesAt);
  const tail = batch.subarray(entriesAt + list.headerLength + list.length);

  const output = createWriteStream(file);
  let size = 0;
  for (const entry of productionEntries(eum, entries, onEid)) {
    size += entry.length;
    if (!output.write(entry)) await once(output, 'drain');
  }
  output.end();
  await once(output, 'finish');

  const listHeader = tlvHeader(0xa6, size);
  yield tlvHeader(0xff60, head.length + listHeader.length + size + tail.length);
  yield head;
  yield listHeader;
  yield* createReadStream(file);
  yield tail;
}
