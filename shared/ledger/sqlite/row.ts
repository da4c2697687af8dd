import type { SQLOutputValue } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { Fault } from '../../errors.ts';
import { decodeAttributes } from '../item.ts';
import type { Item, ItemKey } from '../ledger.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * What a row carries of itself, so that one that was changed in the file is told from one that was written: CRC-32 of
 * partition, sort key, revision and attributes, each ended by a NUL. It finds accidents and edits by hand; somebody who
 * computes it again is found out by what stands elsewhere (smdpf verify).
 */
export function rowSum({ partition, sort }: ItemKey, revision: number, attributes: string): number {
  return crc32(`${partition}\0${sort}\0${revision}\0${attributes}\0`);
}

export function toItem(row: Row): Item {
  const item = readRow(row);
  if (item === undefined)
    throw new Fault(
      'ledger',
      `the item ${nameOf(row)} was damaged, or changed in the file by hand: smdpf verify tells what else`,
    );
  return item;
}

/** Undefined where the row is not as it was written. */
export function readRow({ partition, sort, revision, attributes, sum }: Row): Item | undefined {
  if (
    typeof partition !== 'string' ||
    typeof sort !== 'string' ||
    typeof revision !== 'number' ||
    typeof attributes !== 'string' ||
    sum !== rowSum({ partition, sort }, revision, attributes)
  )
    return undefined;
  return { partition, sort, revision, attributes: decodeAttributes(attributes) };
}

/** What reading it costs. */
export const octetsOf = (row: Row | undefined) =>
  typeof row?.attributes === 'string' ? row.attributes.length : 0;

export const nameOf = ({ partition, sort }: Row) => `${partition} / ${sort}`;
