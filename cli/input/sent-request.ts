import { createHash } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import { ifPresent, present } from '../../shared/present.ts';
import { encodeEidItems, INLINE_LIMIT, type SentFile, streamBppRequest } from '../../sim/index.ts';
import { eidsIn, requireEid, requireSome } from './eids.ts';
import { readToSend } from './sent-file.ts';

/** What a device manufacturer asks for: a BPP for each EID of a file. */
export interface EidsRequest {
  readonly requestId: Bytes;
  readonly orderId: string;
  /** A file of EIDs, one in a line. */
  readonly eids: string;
  /** A file with an eUICC data batch (FF60) that goes inside. */
  readonly euiccData?: string;
}

/**
 * A BppRequest (FF61) whose items are numbered from 1. Nobody holds a large one: the files are read once to count and check, once
 * for the hash that the server is told beforehand, and once as it is sent.
 */
export async function requestToSend({ eids, euiccData, ...names }: EidsRequest): Promise<Bytes | SentFile> {
  const data = await ifPresent(euiccData, (file) => readToSend(file, '--euicc-data', 'euiccDataBatch'));
  const request = {
    ...names,
    ...present({ euiccData: ifPresent(data, asFile) }),
    items: () => itemsOf(eids),
  };
  let length = 0;
  let count = 0;
  for await (const some of eidsIn(eids)) {
    for (const eid of some) requireEid(eid);
    length += encodeEidItems(count + 1, some).length;
    count += some.length;
  }
  requireSome(count);
  const read = () => streamBppRequest(request, length);
  const sha256 = createHash('sha256');
  const small: Bytes[] = [];
  let size = 0;
  for await (const piece of read()) {
    sha256.update(piece);
    size += piece.length;
    if (size <= INLINE_LIMIT) small.push(piece);
    else small.length = 0;
  }
  if (size <= INLINE_LIMIT) return Buffer.concat(small);
  return { size, sha256: sha256.digest('hex'), read: () => ofSize(read(), size, eids) };
}

async function* itemsOf(file: string): AsyncGenerator<Bytes> {
  let count = 0;
  for await (const some of eidsIn(file)) {
    yield encodeEidItems(count + 1, some);
    count += some.length;
  }
}

const asFile = (data: Bytes | SentFile) =>
  data instanceof Uint8Array
    ? {
        size: data.length,
        async *read() {
          yield data;
        },
      }
    : data;

/** The server would wait for octets that do not come: a file that has become shorter is told at once. */
async function* ofSize(pieces: AsyncIterable<Bytes>, size: number, file: string): AsyncGenerator<Bytes> {
  let sent = 0;
  for await (const piece of pieces) {
    sent += piece.length;
    yield piece;
  }
  if (sent !== size) throw new Fault('configuration', `${file} was changed while it was sent; send it again`);
}
