import { type Bytes, concat, utf8 } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import { encodeAttributes } from '../../ledger/item.ts';
import type { ObjectRef, Vault } from '../../vault/vault.ts';
import type { ChainedLine } from '../api/admin.ts';
import { chainedLine } from '../records/audit.ts';
import { AUDIT_ARCHIVE, objectNames, parseAuditArchiveName } from '../records/object-names.ts';
import type { CheckedLine } from './chain-check.ts';

/** An object of the archive: lines as JSON, one on each. */
interface Segment {
  readonly from: number;
  readonly to: number;
  readonly ref: ObjectRef;
}

/** Characters that are gathered before they become octets. */
const PIECE = 65_536;

/**
 * Writes the lines `from` to `to` into a locked object. On AWS the lock is S3 Object Lock. A repeat may write the same lines twice.
 * Of lines that are read as they are written no more is held than their octets.
 */
export async function writeSegment(
  vault: Vault,
  from: number,
  to: number,
  lines: AsyncIterable<ChainedLine>,
): Promise<void> {
  const name = objectNames.auditArchive(from, to);
  const pieces: Bytes[] = [];
  let text = '';
  for await (const line of lines) {
    text += `${encodeAttributes(chainedLine.to(line))}\n`;
    if (text.length < PIECE) continue;
    pieces.push(utf8(text));
    text = '';
  }
  await vault.put(name, concat(...pieces, utf8(text)), { lock: true });
}

/** The lines of the archive, in order, without objects that end at `after` or before; one that is damaged throws. */
export async function* archivedLines(
  vault: Pick<Vault, 'list' | 'get'>,
  after = 0,
): AsyncGenerator<ChainedLine, undefined> {
  for (const segment of await segmentsOf(vault)) if (segment.to > after) yield* await linesOf(vault, segment);
  return undefined;
}

/** The objects in the order of their lines; a repeat after a stop may have written one of them twice. */
async function segmentsOf(vault: Pick<Vault, 'list'>): Promise<Segment[]> {
  const segments: Segment[] = [];
  for await (const ref of vault.list(AUDIT_ARCHIVE)) {
    segments.push({ ...parseAuditArchiveName(ref.name), ref });
  }
  return segments;
}

/** A RecordFault where the object does not hold lines. */
async function linesOf(vault: Pick<Vault, 'get'>, { ref }: Segment): Promise<ChainedLine[]> {
  const text = Buffer.from(await vault.get(ref)).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => chainedLine.fromObject(ref.name, utf8(line)));
}

/** Walks the archive beside the chain, line after line; what is damaged or gone is told and stops nothing. */
export class ArchiveCheck {
  readonly #segments: readonly Segment[];
  readonly #damaged: CheckedLine[] = [];
  readonly #lines: AsyncGenerator<ChainedLine, undefined>;
  #next: ChainedLine | undefined;

  private constructor(vault: Vault, segments: readonly Segment[]) {
    this.#segments = segments;
    this.#lines = this.#readable(vault);
  }

  static async open(vault: Vault): Promise<ArchiveCheck> {
    const check = new ArchiveCheck(vault, await segmentsOf(vault));
    await check.#advance();
    return check;
  }

  /** Lines up to `archived` that are in none of the objects. */
  *gaps(archived: number): Generator<CheckedLine> {
    const gap = (from: number, to: number) => ({
      sequence: from,
      problem: `lines ${from} to ${to} were archived and are not in the archive`,
    });
    let next = 1;
    for (const { from, to } of this.#segments) {
      if (from > next) yield gap(next, from - 1);
      next = Math.max(next, to + 1);
    }
    if (archived >= next) yield gap(next, archived);
  }

  /** Goes on to this line of the chain. */
  async problemOf({ sequence, hash }: Pick<ChainedLine, 'sequence' | 'hash'>): Promise<string | undefined> {
    while (this.#next !== undefined && this.#next.sequence < sequence) await this.#advance();
    return this.#next?.sequence === sequence && this.#next.hash !== hash
      ? 'the line is another one than in the archive'
      : undefined;
  }

  /** What is left behind the chain, whose next line would be `expected`; lines up to `seen` were there. */
  async *rest(expected: number, seen: number): AsyncGenerator<CheckedLine> {
    let missing = 0;
    for (; this.#next !== undefined; await this.#advance())
      if (this.#next.sequence > seen) missing = this.#next.sequence;
    if (missing > 0) {
      const problem = `lines ${expected} to ${missing} are in the archive and not in the log`;
      yield { sequence: missing, problem };
    }
    yield* this.#damaged;
  }

  async #advance(): Promise<void> {
    this.#next = (await this.#lines.next()).value;
  }

  async *#readable(vault: Vault): AsyncGenerator<ChainedLine, undefined> {
    for (const segment of this.#segments) {
      let lines: ChainedLine[] = [];
      try {
        lines = await linesOf(vault, segment);
      } catch (error) {
        if (!(error instanceof Fault) || error.retryable) throw error;
        const { from, to } = segment;
        this.#damaged.push({
          sequence: from,
          problem: `the archive of lines ${from} to ${to} is damaged`,
        });
      }
      yield* lines;
    }
    return undefined;
  }
}
