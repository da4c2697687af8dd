import { Readable } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import type { Bytes } from '../../codec/bytes.ts';
import { type Row, refuseRow } from './row.ts';

/**
 * CSV (RFC 4180) in UTF-8: a heading with the names of the parameters, then a row per profile. Blanks around values
 * are dropped; empty lines are no rows.
 */
const OPTIONS = {
  bom: true,
  skip_empty_lines: true,
  trim: true,
  // a row of another length is refused by its number, in words of ours
  relax_column_count: true,
  max_record_size: 256 * 1024,
} as const satisfies Options;

export interface CsvRecord {
  readonly values: readonly string[];
  /** Octets of the file up to the end of the record. */
  readonly end: number;
}

/** The records of a file, the heading first, read as it arrives. */
export async function* csvRecords(file: AsyncIterable<Bytes>): AsyncGenerator<CsvRecord> {
  const source = Readable.from(file);
  const parser = parse({ ...OPTIONS, info: true });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvEntry>)
      yield { values: record, end: info.bytes };
  } catch (error) {
    refuseCsv(error, 0);
  } finally {
    source.destroy();
  }
}

interface CsvEntry {
  readonly record: readonly string[];
  readonly info: { readonly bytes: number };
}

/** Rows of a piece of a file; the heading is its first record unless `columns` are given. */
export function csvRows(
  octets: Bytes,
  firstRow: number,
  columns?: readonly string[],
): { columns: readonly string[]; rows: readonly Row[] } {
  let records: string[][];
  try {
    records = parseSync(Buffer.from(octets.buffer, octets.byteOffset, octets.length), OPTIONS) as string[][];
  } catch (error) {
    return refuseCsv(error, columns === undefined ? firstRow - 1 : firstRow);
  }
  const heading = columns ?? records.shift() ?? [];
  return { columns: heading, rows: records.map((record, i) => csvRow(firstRow + i, heading, record)) };
}

export function csvRow(number: number, columns: readonly string[], record: readonly string[]): Row {
  if (record.length !== columns.length)
    refuseRow('personalisationInvalid', number, undefined, 'has not as many values as there are columns');
  return { number, values: Object.fromEntries(columns.map((name, i) => [name, record[i]!])) };
}

/** The parser's own message may quote the file. */
function refuseCsv(error: unknown, firstRow: number): never {
  if (!(error instanceof CsvError)) throw error;
  const number = firstRow + Number((error as { records?: number }).records ?? 0);
  return refuseRow('personalisationInvalid', number, undefined, `is not CSV (${error.code})`);
}
