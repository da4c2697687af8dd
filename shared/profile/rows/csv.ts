import { Readable } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import type { Bytes } from '../../codec/bytes.ts';
import { plainRecord, plainUpTo } from './plain-csv.ts';
import { type Row, refuseRow } from './row.ts';

/**
 * CSV (RFC 4180) in UTF-8: a heading with the names of the parameters, then a row per profile. Blanks around values
 * are dropped; empty lines are no rows. Lines that are nothing but values and commas are cut here, since a library that
 * looks at every octet takes longer for a row than making its profile may; from the first that is more, csv-parse reads.
 */
const OPTIONS = {
  bom: true,
  skip_empty_lines: true,
  trim: true,
  // a row of another length is refused by its number, in words of ours
  relax_column_count: true,
  max_record_size: 256 * 1024,
} as const satisfies Options;

const LF = 0x0a;
/** Most records that are handed on together. */
const AT_ONCE = 500;

export interface CsvRecord {
  readonly values: readonly string[];
  /** Octets of the file up to the end of the record. */
  readonly end: number;
}

/** The records of a file, the heading first, read as it arrives: some hundred at once, of what has arrived. */
export async function* csvRecords(file: AsyncIterable<Bytes>): AsyncGenerator<readonly CsvRecord[]> {
  const parts = file[Symbol.asyncIterator]();
  let rest: Bytes = new Uint8Array(0);
  let read = 0;
  let count = 0;
  try {
    for (;;) {
      const { done = false, value } = await parts.next();
      const part: Bytes = done ? new Uint8Array(0) : value;
      const octets: Bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
      const plain = plainUpTo(octets);
      // a last line without its end is a record once nothing follows
      const whole = done || plain < octets.length ? plain : octets.lastIndexOf(LF) + 1;
      for (const records of plainRecords(octets, whole, read)) {
        count += records.length;
        yield records;
      }
      rest = octets.subarray(whole);
      read += whole;
      if (done || plain < octets.length || rest.length > OPTIONS.max_record_size) break;
    }
    if (rest.length > 0) yield* parsedRecords(following(rest, parts), read, count);
  } finally {
    await parts.return?.();
  }
}

/** Of the first `whole` octets, which stand `read` octets behind the beginning of the file and end with a line. */
function* plainRecords(octets: Bytes, whole: number, read: number): Generator<readonly CsvRecord[]> {
  let records: CsvRecord[] = [];
  for (let at = 0; at < whole; ) {
    const lf = octets.indexOf(LF, at);
    const end = lf < 0 ? octets.length : lf;
    const values = plainRecord(octets, at, end);
    at = lf < 0 ? end : lf + 1;
    if (values !== undefined) records.push({ values, end: read + at });
    if (records.length === AT_ONCE) {
      yield records;
      records = [];
    }
  }
  if (records.length > 0) yield records;
}

async function* following(rest: Bytes, parts: AsyncIterator<Bytes>): AsyncGenerator<Bytes> {
  yield rest;
  for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
}

/** The records after the first `read` octets, which hold `records` of them and end their lines with LF, by csv-parse. */
async function* parsedRecords(
  file: AsyncIterable<Bytes>,
  read: number,
  records: number,
): AsyncGenerator<readonly CsvRecord[]> {
  const source = Readable.from(file);
  const parser = parse({ ...OPTIONS, ...(read > 0 && { bom: false, record_delimiter: '\n' }), info: true });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvEntry>)
      yield [{ values: record, end: read + info.bytes }];
  } catch (error) {
    refuseCsv(error, records);
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
  let records: (readonly string[])[];
  try {
    records = recordsOf(octets);
  } catch (error) {
    return refuseCsv(error, columns === undefined ? firstRow - 1 : firstRow);
  }
  const heading = columns ?? records.shift() ?? [];
  return { columns: heading, rows: records.map((record, i) => csvRow(firstRow + i, heading, record)) };
}

function recordsOf(octets: Bytes): (readonly string[])[] {
  if (plainUpTo(octets) < octets.length)
    return parseSync(Buffer.from(octets.buffer, octets.byteOffset, octets.length), OPTIONS) as string[][];
  const records: (readonly string[])[] = [];
  for (let at = 0; at < octets.length; ) {
    const lf = octets.indexOf(LF, at);
    const end = lf < 0 ? octets.length : lf;
    const values = plainRecord(octets, at, end);
    if (values !== undefined) records.push(values);
    at = end + 1;
  }
  return records;
}

export function csvRow(number: number, columns: readonly string[], record: readonly string[]): Row {
  if (record.length !== columns.length)
    refuseRow('personalisationInvalid', number, undefined, 'has not as many values as there are columns');
  const values: Record<string, string> = {};
  for (let i = 0; i < columns.length; i++) values[columns[i]!] = record[i]!;
  return { number, values };
}

/** The parser's own message may quote the file. */
function refuseCsv(error: unknown, firstRow: number): never {
  if (!(error instanceof CsvError)) throw error;
  const number = firstRow + Number((error as { records?: number }).records ?? 0);
  return refuseRow('personalisationInvalid', number, undefined, `is not CSV (${error.code})`);
}
