import { createCipheriv, createHmac, hash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { completeIccid } from '../../codec/iccid.ts';
import type { NumberRows } from '../../profile/rows/number-rows.ts';
import { inRow, type Row } from '../../profile/rows/row.ts';
import type { Context } from '../context.ts';
import type { OrderRecord, RowSlice } from '../records/order.ts';
import { templateContext } from '../records/wrap-contexts.ts';

/*
 * What must be once in an order, as slices of its rows keep it until all of them are checked: of each value the first 10
 * octets of a block of AES-256 under a secret of the order, which follows from the data key of its template, so that nobody
 * who has the ledger finds out an IMSI by trying all. Equal values are to have equal blocks, and a block is one value.
 */

export const ONCE = ['iccid', 'imsi', 'k'] as const;
export type OnceColumn = (typeof ONCE)[number];

/** Octets of a value in clear, with the column's number as the last. */
const BLOCK = 16;
/** Octets of a value as it is kept. */
const LENGTH = 10;
/** What stands for "no digit", so that 018 and 18 differ. */
const NO_DIGIT = 'f';

/** The values of a slice as its rows are read. */
export class RowValues {
  readonly #secret: Bytes;
  readonly #columns: ReadonlyMap<OnceColumn, Buffer>;
  #rows = 0;

  /** @param secret see `valueSecret`. */
  constructor(secret: Bytes, columns: readonly string[], rows: number) {
    this.#secret = secret;
    const present = ONCE.filter((name) => columns.includes(name));
    this.#columns = new Map(present.map((name) => [name, Buffer.alloc(rows * BLOCK)]));
  }

  /** Takes the values of the next row down; refuses an ICCID that is none, and then none of the row. */
  add({ number, values }: Row): void {
    const at = this.#rows * BLOCK;
    for (const [name, octets] of this.#columns) {
      const value = values[name];
      const tag = 1 + ONCE.indexOf(name);
      if (typeof value === 'string') {
        inRow(number, () => writeValue(octets, at, name, value));
        octets[at + BLOCK - 1] = tag;
      } else {
        // none, and so like no other
        octets.writeUInt32BE(number, at);
        octets[at + BLOCK - 1] = 0x80 | tag;
      }
    }
    this.#rows += 1;
  }

  /** By column, of the rows that were taken down so far. Overwrites what they were made from. */
  encrypted(): Record<string, Bytes> {
    const taken = [...this.#columns].map(([name, octets]) => {
      const cipher = createCipheriv('aes-256-ecb', this.#secret, null).setAutoPadding(false);
      const blocks = cipher.update(octets.subarray(0, this.#rows * BLOCK));
      octets.fill(0);
      const kept = Buffer.alloc(this.#rows * LENGTH);
      for (let row = 0; row < this.#rows; row++)
        blocks.copy(kept, row * LENGTH, row * BLOCK, row * BLOCK + LENGTH);
      return [name, kept] as const;
    });
    return Object.fromEntries(taken);
  }
}

/** Digits two to an octet where the value has no more than fit; of any other, as of K, a hash. */
function writeValue(octets: Buffer, at: number, name: OnceColumn, value: string): void {
  const digits = name === 'iccid' ? completeIccid(value) : value.toLowerCase();
  if (name !== 'k' && /^[0-9]{1,20}$/.test(digits))
    octets.write(digits.padEnd(2 * LENGTH, NO_DIGIT), at, LENGTH, 'hex');
  else octets.set(hash('sha256', digits, 'buffer').subarray(0, BLOCK - 1), at);
}

/** A row whose value an earlier row has. */
export interface Repeated {
  readonly row: number;
  readonly earlier: number;
  readonly column: OnceColumn;
}

/**
 * The first row of a slice that repeats a value of an earlier one, among the values whose number is `share` modulo `shares`: so
 * all of a large order can be gone through with a part of them in memory at a time.
 */
export function repeatedIn(
  { firstRow, values }: RowSlice,
  seen: NumberRows,
  [share, shares]: readonly [number, number],
): Repeated | undefined {
  const columns = ONCE.flatMap((column) => {
    const octets = values[column];
    return octets === undefined
      ? []
      : [{ column, octets: Buffer.from(octets.buffer, octets.byteOffset, octets.length) }];
  });
  const rows = (columns[0]?.octets.length ?? 0) / LENGTH;
  for (let n = 0; n < rows; n++)
    for (const { column, octets } of columns) {
      const low = octets.readUInt32BE(n * LENGTH + 6);
      if (low % shares !== share) continue;
      const earlier = seen.add({ high: octets.readUIntBE(n * LENGTH, 6), low }, firstRow + n);
      if (earlier !== undefined) return { row: firstRow + n, earlier, column };
    }
  return undefined;
}

/** The secret of an order's values, 32 octets. */
export async function valueSecret(
  { dataKeys }: Pick<Context, 'dataKeys'>,
  orderId: string,
  { templateKey }: Pick<OrderRecord, 'templateKey'>,
): Promise<Bytes> {
  const dataKey = await dataKeys.open(templateKey, templateContext(orderId));
  return createHmac('sha256', dataKey).update('values of rows').digest();
}
