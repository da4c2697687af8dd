import { createHash } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import type { Attributes, Item, Ledger, Write } from '../../ledger/ledger.ts';
import type { ObjectRef, Vault } from '../../vault/vault.ts';
import type { AuditHead, AuditTrail, ChainedLine } from '../api/admin.ts';
import { ledgerKeys, padded } from '../records/keys.ts';

/**
 * The audit log (DPFS01, I8): append-only, one line per state change and per refused call, each line carrying the
 * hash of the line before it. A line first waits beside the state change that it tells of, written in the same
 * transaction; `chain` then moves waiting lines into the chain. So no change is without its line, and no change
 * waits for the chain. A chunk's line carries the hash over all its outcomes.
 */
export interface AuditLine {
  /** What happened: `order.prepared`, `chunk.committed`, `call.refused` … */
  readonly event: string;
  /** functionRequesterIdentifier of the caller, or `server`. */
  readonly by: string;
  /** Identifiers and codes only; never a secret. */
  readonly about: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** The partition of lines that wait for the chain. */
export const PENDING = 'audit-pending';
const CHAIN = 'audit';
const HEAD = ledgerKeys.auditHead;
const GENESIS = '0'.repeat(64);
const ARCHIVED = { partition: CHAIN, sort: 'archived' };
const ARCHIVE = 'audit/';
/** Lines of one archived object. */
const SEGMENT = 10_000;
const BATCH = 90;

/** The write that makes the line wait; part of the transaction that changes the state. `id` makes it repeatable. */
export function auditWrite(line: AuditLine, id: string, atMs: number): Write {
  return {
    put: { partition: PENDING, sort: `${padded(Math.floor(atMs / 1000))}#${id}` },
    attributes: { ...line, at: new Date(atMs).toISOString() } as Attributes,
    when: 'absent',
  };
}

export class AuditLog implements AuditTrail {
  readonly #ledger: Ledger;
  readonly #vault: Vault;

  constructor(ledger: Ledger, vault: Vault) {
    this.#ledger = ledger;
    this.#vault = vault;
  }

  /** Moves waiting lines into the chain; returns how many. Several callers at once do no harm. */
  async chain(): Promise<number> {
    let moved = 0;
    for (;;) {
      const waiting = (await this.#ledger.query(PENDING, { limit: Math.floor(BATCH / 2) })).items;
      if (waiting.length === 0) return moved;
      const head = await this.#ledger.get(HEAD);
      let sequence = Number(head?.attributes.sequence ?? 0);
      let hash = String(head?.attributes.hash ?? GENESIS);
      const writes: Write[] = [];
      for (const item of waiting) {
        sequence += 1;
        const line = { ...item.attributes, sequence, previous: hash };
        hash = lineHash(line);
        writes.push({ remove: item, when: { revision: item.revision } });
        writes.push({
          put: { partition: CHAIN, sort: lineName(sequence) },
          attributes: { ...line, hash },
          when: 'absent',
        });
      }
      writes.push({
        put: HEAD,
        attributes: { sequence, hash },
        when: head === undefined ? 'absent' : { revision: head.revision },
      });
      const outcome = await this.#ledger.transact(writes);
      if (outcome.done) moved += waiting.length;
    }
  }

  /**
   * Walks the chain beside its archive; every break is reported with the sequence number where it shows. The chain
   * by itself shows a changed, missing or moved line; a tail that was rewritten with its hashes, or cut off together
   * with the head, shows against the archive, which cannot be changed. Where it was changed all the same, a vault without
   * locks say, what is damaged or gone is told too. A server may go on writing meanwhile.
   */
  async *verify(): AsyncGenerator<CheckedLine> {
    const segments = await segmentsOf(this.#vault);
    yield* gapsOf(segments, Number((await this.#ledger.get(ARCHIVED))?.attributes.sequence ?? 0));
    const damaged: CheckedLine[] = [];
    const archive = this.#archived(segments, damaged);
    let archived = await archive.next();
    const chain = new ChainCheck();
    const before = await this.head();
    let reached = before.sequence === 0;
    for await (const item of this.#items()) {
      const line = item.attributes as unknown as ChainedLine;
      const sequence = Number(line.sequence);
      while (archived.value !== undefined && archived.value.sequence < sequence)
        archived = await archive.next();
      const problem =
        (item.sort === lineName(sequence) ? undefined : 'the line stands in another place') ??
        chain.problemOf(line) ??
        (archived.value?.sequence === sequence && archived.value.hash !== line.hash
          ? 'the line is another one than in the archive'
          : undefined);
      yield problem === undefined ? { sequence } : { sequence, problem };
      chain.pass(line);
      reached ||= sequence === before.sequence && line.hash === before.hash;
    }
    const head = await this.head();
    const grown = head.sequence > before.sequence && head.sequence >= chain.head.sequence;
    const broken = grown && reached ? undefined : chain.problemOfEnd(head);
    if (broken !== undefined) yield { sequence: head.sequence, problem: broken };
    const seen = grown ? head.sequence : chain.head.sequence;
    let missing = 0;
    for (; archived.value !== undefined; archived = await archive.next())
      if (archived.value.sequence > seen) missing = archived.value.sequence;
    if (missing > 0)
      yield {
        sequence: missing,
        problem: `lines ${chain.expected} to ${missing} are in the archive and not in the log`,
      };
    yield* damaged;
  }

  /** The lines of the chain in order, from a sequence number on. */
  async *lines(from = 1): AsyncGenerator<ChainedLine> {
    for await (const { attributes } of this.#items(from)) yield attributes as unknown as ChainedLine;
  }

  async getAuditLines({
    from,
    limit,
  }: {
    from: number;
    limit: number;
  }): ReturnType<AuditTrail['getAuditLines']> {
    const head = await this.head();
    const lines: ChainedLine[] = [];
    for await (const line of this.lines(from)) if (lines.push(line) >= limit) break;
    return { lines, head };
  }

  async head(): Promise<AuditHead> {
    const head = await this.#ledger.get(HEAD);
    return {
      sequence: Number(head?.attributes.sequence ?? 0),
      hash: String(head?.attributes.hash ?? GENESIS),
    };
  }

  /**
   * Writes the lines since the last archived one into a locked object of JSON lines, `audit/FROM-TO`; returns how
   * many. On AWS the lock is S3 Object Lock.
   */
  async archive(): Promise<number> {
    const { sequence: to } = await this.head();
    const marker = await this.#ledger.get(ARCHIVED);
    const from = Number(marker?.attributes.sequence ?? 0) + 1;
    const end = Math.min(to, from + SEGMENT - 1);
    if (end < from) return 0;
    const lines: string[] = [];
    for await (const line of this.lines(from)) {
      if (line.sequence > end) break;
      lines.push(`${canonicalJson(line)}\n`);
    }
    await this.#vault.put(`${ARCHIVE}${padded(from)}-${padded(end)}`, utf8(lines.join('')), { lock: true });
    const when = marker === undefined ? 'absent' : { revision: marker.revision };
    await this.#ledger.write({ put: ARCHIVED, attributes: { sequence: end }, when });
    return end - from + 1 + (end < to ? await this.archive() : 0);
  }

  /** The lines of these objects; one that cannot be read is added to `damaged`. */
  async *#archived(
    segments: readonly Segment[],
    damaged: CheckedLine[],
  ): AsyncGenerator<ChainFields, undefined> {
    for (const { from, to, ref } of segments) {
      let lines: ChainedLine[] = [];
      try {
        lines = await linesOf(this.#vault, ref);
      } catch (error) {
        const passes = error instanceof Fault ? error.retryable : !(error instanceof SyntaxError);
        if (passes) throw error;
        damaged.push({ sequence: from, problem: `the archive of lines ${from} to ${to} is damaged` });
      }
      yield* lines;
    }
    return undefined;
  }

  async *#items(from = 1): AsyncGenerator<Item> {
    let cursor: string | undefined;
    do {
      const range = { from: lineName(from), to: lineName(9_999_999_999) };
      const page = await this.#ledger.query(CHAIN, { ...range, ...(cursor === undefined ? {} : { cursor }) });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

/** A line, and what is wrong with it. */
export interface CheckedLine {
  readonly sequence: number;
  readonly problem?: string;
}

/** An archived object. */
interface Segment {
  readonly from: number;
  readonly to: number;
  readonly ref: ObjectRef;
}

/** The archived objects in the order of their lines; a repeat after a stop may have written one of them twice. */
async function segmentsOf(vault: Vault): Promise<Segment[]> {
  const segments: Segment[] = [];
  for await (const ref of vault.list(ARCHIVE)) {
    const [from, to] = ref.name.slice(ARCHIVE.length).split('-').map(Number) as [number, number];
    segments.push({ from, to, ref });
  }
  return segments;
}

async function linesOf(vault: Vault, ref: ObjectRef): Promise<ChainedLine[]> {
  const text = Buffer.from(await vault.get(ref)).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ChainedLine);
}

/** The lines of the archive, in order; an object that is damaged throws. */
export async function* archivedLines(vault: Vault): AsyncGenerator<ChainedLine, undefined> {
  for (const { ref } of await segmentsOf(vault)) yield* await linesOf(vault, ref);
  return undefined;
}

/** Lines up to `archived` that are in none of the objects. */
function* gapsOf(segments: readonly Segment[], archived: number): Generator<CheckedLine> {
  const gap = (from: number, to: number) => ({
    sequence: from,
    problem: `lines ${from} to ${to} were archived and are not in the archive`,
  });
  let next = 1;
  for (const { from, to } of segments) {
    if (from > next) yield gap(next, from - 1);
    next = Math.max(next, to + 1);
  }
  if (archived >= next) yield gap(next, archived);
}

/** The rules of the chain, line after line: for the log itself and for lines that somebody has kept. */
export class ChainCheck {
  /** Sequence number of the next line. */
  expected = 1;
  #previous = GENESIS;

  problemOf({ hash, ...line }: ChainedLine): string | undefined {
    const sequence = Number(line.sequence);
    if (sequence > this.expected) return `lines ${this.expected} to ${sequence - 1} are missing`;
    if (sequence !== this.expected) return 'the line stands in another place';
    if (line.previous !== this.#previous) return 'the line does not follow the one before it';
    return lineHash(line) === hash ? undefined : 'the line was changed';
  }

  /** Goes on behind this line, so that one break is told once. */
  pass({ sequence, hash }: ChainedLine): void {
    this.expected = Number(sequence) + 1;
    this.#previous = hash;
  }

  problemOfEnd(head: AuditHead): string | undefined {
    return head.sequence === this.expected - 1 && head.hash === this.#previous
      ? undefined
      : 'the end of the log is missing or was changed';
  }

  get head(): AuditHead {
    return { sequence: this.expected - 1, hash: this.#previous };
  }
}

type ChainFields = Pick<ChainedLine, 'sequence' | 'previous' | 'hash'>;

export const lineKey = (sequence: number) => ({ partition: CHAIN, sort: lineName(sequence) });
const lineName = (sequence: number) => `line#${padded(sequence)}`;

/** SHA-256 over the line's members in the order of their names. */
export function lineHash(line: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonicalJson(line)).digest('hex');
}

export function canonicalJson(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
