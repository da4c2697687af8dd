import { type Bytes, wipe } from '../../codec/bytes.ts';
import { invariant, refuse } from '../../errors.ts';
import { type BlockJwe, decodeBlockJwe } from '../../keys/intake-jwe.ts';
import { present } from '../../present.ts';
import { csvRecords, csvRow, csvRows } from './csv.ts';
import { jsonRow, jsonRows } from './json-lines.ts';
import { lines } from './lines.ts';
import { checkColumns, checkMembers, type Row, type RowFormat, refuseClearSecrets } from './row.ts';

/**
 * A file of rows. `csv` and `jsonl` are in clear and hold no secrets. `jwe` is a line per block, each a compact JWE
 * of some rows in either format; its protected header says which order, which block and how many there are. Every
 * block but the last has the same number of rows, 1 to 1,000: it becomes a pack.
 */
export type RowFileFormat = RowFormat | 'jwe';

const MAX_BLOCK_ROWS = 1_000;
/** Octets of one line: a block, or a row in clear. */
const MAX_BLOCK_LINE = 16 * 1024 * 1024;
const MAX_ROW_LINE = 256 * 1024;

export interface RowFile {
  readonly format: RowFileFormat;
  readonly orderId: string;
  /** The plaintext of a block, which is wiped after its use; of `jwe` only. */
  readonly openJwe?: (jwe: BlockJwe) => Promise<Bytes>;
}

export interface RowBlock {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Octets of the file before the block and up to its end. */
  readonly start: number;
  readonly end: number;
  /** Of `jwe`: which key the sender says that the block is encrypted to. */
  readonly kid?: string;
}

/** Reads a file block by block as it arrives: `rowsPerBlock` rows each where the file has no blocks of its own. */
export async function* rowBlocks(
  file: RowFile,
  octets: AsyncIterable<Bytes>,
  rowsPerBlock: number,
): AsyncGenerator<RowBlock> {
  let columns: readonly string[] | undefined;
  const blocks =
    file.format === 'jwe'
      ? jweBlocks(file, octets)
      : file.format === 'csv'
        ? csvBlocks(octets, rowsPerBlock)
        : jsonBlocks(octets, rowsPerBlock);
  for await (const block of blocks) {
    if (columns === undefined) {
      columns = block.columns;
      checkColumns(columns);
      if (file.format !== 'jwe') refuseClearSecrets(columns);
    }
    for (const row of block.rows) checkMembers(row, columns);
    yield { ...block, columns };
  }
  if (columns === undefined) refuse('orderInvalid', 'there are no rows');
}

/** One block of a file that was read to its end before, from its octets. */
export async function readRowBlock(
  file: RowFile,
  octets: Bytes,
  { block, rowsPerBlock, columns }: { block: number; rowsPerBlock: number; columns: readonly string[] },
): Promise<readonly Row[]> {
  const firstRow = block * rowsPerBlock + 1;
  if (file.format === 'csv') return csvRows(octets, firstRow, columns).rows;
  if (file.format === 'jsonl') return jsonRows(octets, firstRow);
  const opened = await openBlock(file, octets, firstRow);
  invariant(opened.block === block, `the rows of order ${file.orderId} are not where their index says`);
  checkSize(opened, rowsPerBlock);
  return opened.rows;
}

async function* csvBlocks(file: AsyncIterable<Bytes>, rowsPerBlock: number): AsyncGenerator<RowBlock> {
  let columns: readonly string[] | undefined;
  let rows: Row[] = [];
  let number = 0;
  let start = 0;
  let end = 0;
  for await (const records of csvRecords(file))
    for (const record of records) {
      if (columns === undefined) {
        columns = record.values;
        start = record.end;
        continue;
      }
      if (rows.length === rowsPerBlock) {
        yield { columns, rows, start, end };
        rows = [];
        start = end;
      }
      rows.push(csvRow(++number, columns, record.values));
      end = record.end;
    }
  if (columns !== undefined && rows.length > 0) yield { columns, rows, start, end };
}

async function* jsonBlocks(file: AsyncIterable<Bytes>, rowsPerBlock: number): AsyncGenerator<RowBlock> {
  let rows: Row[] = [];
  let number = 0;
  let start = 0;
  let end = 0;
  const columns = () => Object.keys(rows[0]!.values);
  for await (const line of lines(file, MAX_ROW_LINE)) {
    if (rows.length === rowsPerBlock) {
      yield { columns: columns(), rows, start, end };
      rows = [];
      start = end;
    }
    rows.push(jsonRow(++number, line.octets));
    end = line.end;
  }
  if (rows.length > 0) yield { columns: columns(), rows, start, end };
}

async function* jweBlocks(file: RowFile, octets: AsyncIterable<Bytes>): AsyncGenerator<RowBlock> {
  let firstRow = 1;
  let size: number | undefined;
  const sequence = new BlockSequence();
  for await (const line of lines(octets, MAX_BLOCK_LINE)) {
    const opened = await openBlock(file, line.octets, firstRow);
    sequence.next(opened);
    size ??= opened.rows.length;
    checkSize(opened, size);
    const { columns, rows, kid } = opened;
    yield { columns, rows, start: line.start, end: line.end, ...present({ kid }) };
    firstRow += rows.length;
  }
  sequence.end();
}

/** Where the blocks of a file of `jwe` are, by their headers alone: none is opened but one out of its place. */
export async function* closedBlocks(
  file: RowFile,
  octets: AsyncIterable<Bytes>,
  rowsPerBlock: number,
): AsyncGenerator<Pick<RowBlock, 'start' | 'end'>> {
  const sequence = new BlockSequence();
  let firstRow = 1;
  for await (const { octets: line, start, end } of lines(octets, MAX_BLOCK_LINE)) {
    const { header } = blockJwe(file, line);
    // whether it opens is asked before where it stands, as of every block that is opened
    if (!sequence.isNext(header)) await openBlock(file, line, firstRow);
    sequence.next(header);
    yield { start, end };
    firstRow += rowsPerBlock;
  }
  sequence.end();
}

type BlockPlace = Pick<BlockJwe['header'], 'block' | 'blocks'>;

function checkSize(
  { block, blocks, rows }: BlockPlace & { readonly rows: readonly Row[] },
  rowsPerBlock: number,
): void {
  const fits = block === blocks - 1 ? rows.length <= rowsPerBlock : rows.length === rowsPerBlock;
  if (!fits) refuse('orderInvalid', `block ${block}: all blocks but the last have as many rows as block 0`);
}

/** Refuses blocks that are not all there, one after the other. */
class BlockSequence {
  #expected = 0;
  #blocks: number | undefined;

  isNext({ block, blocks }: BlockPlace): boolean {
    return block === this.#expected && blocks === (this.#blocks ?? blocks);
  }

  next({ block, blocks }: BlockPlace): void {
    const expected = this.#expected++;
    this.#blocks ??= blocks;
    if (blocks !== this.#blocks)
      refuse('orderInvalid', `block ${expected}: does not agree with block 0 on how many blocks there are`);
    if (block !== expected)
      refuse('orderInvalid', `block ${expected}: is missing; block ${block} stands in its place`, {
        subjectIdentifier: `block:${expected}`,
      });
  }

  end(): void {
    if (this.#blocks !== undefined && this.#expected < this.#blocks)
      refuse('orderInvalid', `block ${this.#expected}: is missing; the file ends before it`, {
        subjectIdentifier: `block:${this.#expected}`,
      });
  }
}

function blockJwe(file: RowFile, octets: Bytes): BlockJwe {
  const jwe = decodeBlockJwe(Buffer.from(octets).toString('latin1').trim());
  const { order, block } = jwe.header;
  if (order !== file.orderId)
    refuse('orderInvalid', `block ${block}: is for another order`, { subjectIdentifier: `block:${block}` });
  return jwe;
}

async function openBlock(file: RowFile, octets: Bytes, firstRow: number) {
  const jwe = blockJwe(file, octets);
  const { cty, block, blocks, kid } = jwe.header;
  if (file.openJwe === undefined)
    return refuse('functionUnsupported', 'this server has no intake key: rows cannot be encrypted to it');
  const plain = await file.openJwe(jwe);
  try {
    const { columns, rows } =
      cty === 'csv' ? csvRows(plain, firstRow) : withColumns(jsonRows(plain, firstRow));
    if (rows.length < 1 || rows.length > MAX_BLOCK_ROWS)
      refuse('orderInvalid', `block ${block}: has 1 to ${MAX_BLOCK_ROWS} rows`);
    return { columns, rows, block, blocks, ...present({ kid }) };
  } finally {
    wipe(plain);
  }
}

const withColumns = (rows: readonly Row[]) => ({ columns: Object.keys(rows[0]?.values ?? {}), rows });
