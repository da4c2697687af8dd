import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { readTlvHeader } from '../../shared/codec/tlv.ts';
import { TAG } from '../../shared/ifpp-draft1/tags.ts';
import { ASKED_AGAIN_LIMIT, type SentFile } from '../../sim/index.ts';
import { readDer } from './files.ts';

/** Kinds of objects that come by the million items. */
export type SentKind = 'euiccDataBatch' | 'profileLoadingReport';

/**
 * The object of a file that is to be sent, in any form that `readDer` takes. One too large to go with each question how far
 * the work on it is is sent as it is read, once, and never held, where it is DER and of that kind by its first octets; what is
 * inside is the server's matter.
 */
export async function readToSend(path: string, option: string, kind: SentKind): Promise<Bytes | SentFile> {
  return (await sentFile(path, TAG[kind])) ?? (await readDer(path, option, kind));
}

/** Undefined of a file that is small, cannot be read, or is no whole element with this tag. */
async function sentFile(path: string, tag: number): Promise<SentFile | undefined> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= ASKED_AGAIN_LIMIT) return undefined;
  const read = () => piecesOf(path);
  const sha256 = createHash('sha256');
  let isFirst = true;
  for await (const piece of read()) {
    if (isFirst && !isWhole(piece, tag, size)) return undefined;
    isFirst = false;
    sha256.update(piece);
  }
  return { size, sha256: sha256.digest('hex'), read };
}

const PIECE_OCTETS = 65_536;

/**
 * The pieces of a file, all in the same room: what one holds is overwritten once the next is asked for. A buffer for each, as streams have,
 * is garbage that V8 does not see growing, and a client that sends 200,000 entries had 40 MB of it.
 */
async function* piecesOf(path: string): AsyncGenerator<Bytes> {
  const file = await open(path);
  try {
    const room = Buffer.allocUnsafeSlow(PIECE_OCTETS);
    const read = async () => (await file.read(room)).bytesRead;
    for (let length = await read(); length > 0; length = await read()) yield room.subarray(0, length);
  } finally {
    await file.close();
  }
}

function isWhole(start: Bytes, tag: number, size: number): boolean {
  try {
    const header = readTlvHeader(start);
    return header.tag === tag && header.headerLength + header.length === size;
  } catch {
    return false;
  }
}
