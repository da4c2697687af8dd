import { asRead, becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Vault } from '../../vault/vault.ts';
import type { AuditHead, AuditTrail, ChainedLine } from '../api/admin.ts';
import { archivedTo, auditArchived, auditHead, chainedLine, headOf } from '../records/audit.ts';
import { ledgerKeys } from '../records/keys.ts';
import { ArchiveCheck, writeSegment } from './archive.ts';
import { ChainCheck, type CheckedLine } from './chain-check.ts';
import { type ChainPart, chainItems, isInItsPlace } from './chained.ts';
import { type ChainEnd, chainWaiting, type Marks, START } from './chaining.ts';
import { type AnchoredIn, HeadAnchors } from './head-anchors.ts';
import { type KnownHead, KnownHeadsCheck } from './known-heads.ts';
import { readableLine } from './line.ts';

const HEAD = ledgerKeys.auditHead;
const ARCHIVED = ledgerKeys.auditArchived;
/** Lines of one archived object. */
const SEGMENT = 10_000;
/** Lines that are read at once for one. */
const ARCHIVED_AT_ONCE = 400;

/**
 * The audit log (DPFS01, I8): append-only, one line per state change and per refused call, each line carrying the
 * hash of the line before it. A line first waits beside the state change that it tells of, written in the same
 * transaction; `chain` then moves waiting lines into the chain. So no change is without its line, and no change
 * waits for the chain. A chunk's line carries the hash over all its outcomes.
 */
export class AuditLog implements AuditTrail {
  readonly #ledger: Ledger;
  readonly #vault: Vault;
  readonly #anchors: HeadAnchors | undefined;
  #isTidy = false;

  /** Without a PPK vault, as in a process that has none, nothing keeps the end of the log but its archive. */
  constructor(ledger: Ledger, vault: Vault, anchoredIn?: AnchoredIn) {
    this.#ledger = ledger;
    this.#vault = vault;
    this.#anchors = anchoredIn && new HeadAnchors(anchoredIn);
  }

  /**
   * Moves waiting lines into the chain, until so many are moved or all that waited when it was called; returns how many.
   * Several callers at once do no harm.
   */
  async chain(enough = Number.POSITIVE_INFINITY): Promise<number> {
    const anchors = this.#anchors;
    let moved = 0;
    let last: ChainEnd | undefined;
    const marks: Marks = (marked, sequence) => anchors?.marks(marked, sequence) ?? marked;
    for await (const { lines, end } of chainWaiting(this.#ledger, marks)) {
      moved += lines;
      anchors?.marked(end.anchors.at(-1)!, last?.sequence);
      last = end;
      if (moved >= enough) break;
    }
    if (last !== undefined) await anchors?.keep(last, last.anchors);
    else if (!this.#isTidy) await this.#tidy();
    this.#isTidy = true;
    return moved;
  }

  /**
   * Walks the chain beside its archive; every break is reported with the sequence number where it shows. The chain
   * by itself shows a changed, missing or moved line; a tail that was rewritten with its hashes, or cut off together
   * with the head, shows against the archive, which cannot be changed. Where it was changed all the same, a vault without
   * locks say, what is damaged or gone is told too. So does what is not on the chain of the heads that the PPK vault keeps,
   * and of those that the caller knows. A server may go on writing meanwhile.
   */
  async *verify(knownHeads: readonly KnownHead[] = []): AsyncGenerator<CheckedLine> {
    const heads = new KnownHeadsCheck([...(await this.anchoredHeads()), ...knownHeads]);
    const archive = await ArchiveCheck.open(this.#vault);
    yield* archive.gaps(await this.archivedTo());
    const chain = new ChainCheck();
    const before = await this.head();
    let reached = before.sequence === 0;
    for await (const item of chainItems(this.#ledger)) {
      const line = readableLine(item);
      if (line === undefined) {
        yield { sequence: chain.expected, problem: 'the line cannot be read' };
        continue;
      }
      const { sequence, hash } = line;
      const elsewhere = heads.problemOf(line) ?? (await archive.problemOf(line));
      const problem =
        (isInItsPlace(this.#ledger, item, sequence) ? undefined : 'the line stands in another place') ??
        chain.problemOf(line) ??
        elsewhere;
      yield problem === undefined ? { sequence } : { sequence, problem };
      chain.pass(line);
      reached ||= sequence === before.sequence && hash === before.hash;
    }
    const head = await this.head();
    const grown = head.sequence > before.sequence && head.sequence >= chain.head.sequence;
    const broken = grown && reached ? undefined : chain.problemOfEnd(head);
    if (broken !== undefined) yield { sequence: head.sequence, problem: broken };
    const end = grown ? head.sequence : chain.head.sequence;
    yield* archive.rest(chain.expected, end);
    yield* heads.rest(end + 1);
  }

  /** What processes that died owe the PPK vault: the entry of the end, or that those before it go. */
  async #tidy(): Promise<void> {
    const anchors = this.#anchors;
    if (anchors === undefined) return;
    const marked = await changeItem(this.#ledger, HEAD, async (item) => {
      const head = headOf(item);
      if (head === undefined) return unchanged();
      if (await anchors.has(head.sequence)) return unchanged({ head, isNew: false });
      const renewed = { ...head, anchors: anchors.marks(head.anchors, head.sequence) };
      return becomes(auditHead.to(renewed), { head: renewed, isNew: true });
    });
    if (marked === undefined) return;
    const { head, isNew } = marked;
    if (!isNew) return await anchors.destroyBelow(head.sequence, head.anchors);
    anchors.marked(head.anchors.at(-1)!);
    await anchors.keep(head, head.anchors);
  }

  /** The lines of the chain in order, from a sequence number on. */
  async *lines(from = 1, part: Omit<ChainPart, 'from'> = {}): AsyncGenerator<ChainedLine> {
    for await (const item of chainItems(this.#ledger, { ...part, from })) yield chainedLine.from(item);
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
    for await (const line of this.lines(from, { to: head.sequence, pageSize: limit }))
      if (lines.push(line) >= limit) break;
    return { lines, head };
  }

  /** Heads that the PPK vault keeps; none where this process has no PPK vault. */
  async anchoredHeads(): Promise<readonly KnownHead[]> {
    const heads = (await this.#anchors?.all()) ?? [];
    return heads.map((head) => ({ ...head, by: 'the PPK vault' }));
  }

  /** Takes the present end for the true one, after a restore. */
  async resetAnchors(): Promise<void> {
    const anchors = this.#anchors;
    if (anchors === undefined) return;
    const end = await changeItem(this.#ledger, HEAD, (item) => {
      const head = headOf(item);
      if (head === undefined) return unchanged(START);
      return becomes(auditHead.to({ ...head, anchors: anchors.marks([], head.sequence) }), head);
    });
    await anchors.reset(end);
  }

  /** Sequence number of the last line that is in locked objects. */
  async archivedTo(): Promise<number> {
    return archivedTo(await this.#ledger.get(ARCHIVED));
  }

  async head(): Promise<AuditHead> {
    const { sequence, hash } = headOf(await this.#ledger.get(HEAD)) ?? START;
    return { sequence, hash };
  }

  /** Writes the lines since the last archived one into so many locked objects of the vault, or all; returns how many lines. */
  async archive(objects = Number.POSITIVE_INFINITY): Promise<number> {
    let archived = 0;
    for (let written = 0; written < objects; written++) {
      const lines = await this.#archiveSegment();
      archived += lines;
      if (lines < SEGMENT) break;
    }
    return archived;
  }

  /**
   * Chains and archives by turns, an object's worth of lines each time, until nothing is left or the time is over: the next
   * call goes on. However many lines wait, those that are chained come into the archive.
   */
  async chainAndArchive(isTimeLeft: () => boolean): Promise<{ chained: number; archived: number }> {
    const all = { chained: 0, archived: 0 };
    let isMore: boolean;
    do {
      const chained = await this.chain(SEGMENT);
      const archived = await this.archive(1);
      all.chained += chained;
      all.archived += archived;
      isMore = chained >= SEGMENT || archived === SEGMENT;
    } while (isMore && isTimeLeft());
    return all;
  }

  /** Lines of the object that it has written; 0 where there are none to be archived. */
  async #archiveSegment(): Promise<number> {
    const { sequence: to } = await this.head();
    const marker = await this.#ledger.get(ARCHIVED);
    const from = archivedTo(marker) + 1;
    const end = Math.min(to, from + SEGMENT - 1);
    if (end < from) return 0;
    await writeSegment(this.#vault, from, end, this.lines(from, { to: end, pageSize: ARCHIVED_AT_ONCE }));
    await this.#ledger.write({
      put: ARCHIVED,
      attributes: auditArchived.to({ sequence: end }),
      when: asRead(marker),
    });
    return end - from + 1;
  }
}
