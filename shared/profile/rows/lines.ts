import type { Bytes } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';

export interface Line {
  /** Without its line end. */
  readonly octets: Bytes;
  /** Octets of the file before the line, and up to the end of it with its line end. */
  readonly start: number;
  readonly end: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** The lines of a file that are not empty, read as it arrives; refuses (`tooLarge`) one above `limit` octets. */
export async function* lines(file: AsyncIterable<Bytes>, limit: number): AsyncGenerator<Line> {
  let pending: Bytes[] = [];
  let length = 0;
  let start = 0;
  const line = (end: number): Line | undefined => {
    const octets = pending.length === 1 ? pending[0]! : Buffer.concat(pending as Uint8Array[]);
    const content = octets.at(-1) === CR ? octets.subarray(0, -1) : octets;
    const found = { octets: content, start, end };
    pending = [];
    length = 0;
    start = end;
    return content.length === 0 ? undefined : found;
  };
  let read = 0;
  for await (const part of file) {
    for (let at = 0; at < part.length; ) {
      const end = part.indexOf(LF, at);
      const piece = part.subarray(at, end < 0 ? part.length : end);
      length += piece.length;
      if (length > limit) refuse('tooLarge', `a line of the rows has more than ${limit} octets`);
      pending.push(piece);
      at += piece.length;
      if (end < 0) break;
      at += 1;
      const whole = line(read + at);
      if (whole !== undefined) yield whole;
    }
    read += part.length;
  }
  const last = line(read);
  if (last !== undefined) yield last;
}
