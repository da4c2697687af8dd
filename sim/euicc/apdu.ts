import { type Bytes, concat } from '../../shared/codec/bytes.ts';

/** Status words that the eUICC answers with (ISO 7816-4). */
export const SW = {
  ok: 0x9000,
  wrongLength: 0x6700,
  conditionsNotSatisfied: 0x6985,
  incorrectData: 0x6a80,
  notEnoughMemory: 0x6a84,
  incorrectParameters: 0x6a86,
  instructionNotSupported: 0x6d00,
  classNotSupported: 0x6e00,
} as const;

const MORE_BLOCKS = 0x11;
const LAST_BLOCK = 0x91;

/** A refusal by status word alone: no Profile Installation Result comes of it. */
export class StatusWordError extends Error {
  readonly statusWord: number;

  constructor(statusWord: number, message: string) {
    super(message);
    this.statusWord = statusWord;
  }
}

export interface StoreDataBlock {
  readonly last: boolean;
  readonly block: number;
  readonly data: Bytes;
}

/** STORE DATA of SGP.22 §5.7.2: CLA 80–83 or C0–CF, INS E2, P1 11 or 91, P2 block number, Lc, data, perhaps Le. */
export function parseStoreData(apdu: Bytes): StoreDataBlock {
  const [cla = 0, ins, p1, p2 = 0, lc] = apdu;
  if (!((cla >= 0x80 && cla <= 0x83) || (cla >= 0xc0 && cla <= 0xcf))) {
    throw new StatusWordError(SW.classNotSupported, 'class not supported');
  }
  if (ins !== 0xe2) throw new StatusWordError(SW.instructionNotSupported, 'not STORE DATA');
  if (p1 !== MORE_BLOCKS && p1 !== LAST_BLOCK) throw new StatusWordError(SW.incorrectParameters, 'wrong P1');
  const extra = lc === undefined || lc === 0 ? -1 : apdu.length - 5 - lc;
  if (lc === undefined || (extra !== 0 && !(extra === 1 && apdu.at(-1) === 0))) {
    throw new StatusWordError(SW.wrongLength, 'wrong Lc');
  }
  return { last: p1 === LAST_BLOCK, block: p2, data: apdu.subarray(5, 5 + lc) };
}

/** A command of any length as STORE DATA blocks of at most 255 octets, numbered from 0 modulo 256. */
export function storeDataApdus(command: Bytes, cla = 0x80): Bytes[] {
  const apdus: Bytes[] = [];
  for (let offset = 0; offset < command.length; offset += 255) {
    const data = command.subarray(offset, offset + 255);
    const p1 = offset + 255 >= command.length ? LAST_BLOCK : MORE_BLOCKS;
    apdus.push(concat(Uint8Array.of(cla, 0xe2, p1, apdus.length & 0xff, data.length), data));
  }
  return apdus;
}

/** Response data followed by the status word in two octets. */
export function response(data: Bytes, statusWord: number): Bytes {
  return concat(data, Uint8Array.of(statusWord >> 8, statusWord & 0xff));
}
