import { utf8 } from '../../codec/bytes.ts';
import { encodeAttributes } from '../../ledger/item.ts';
import type { PpkVault } from '../../vault/vault.ts';
import type { AuditHead } from '../api/admin.ts';
import { type AnchorMark, anchoredHead } from '../records/audit.ts';
import { PPK_AUDIT_HEADS, ppkAuditHead } from '../records/object-names.ts';

/** Where ends of the log are kept, and by which clock. */
export interface AnchoredIn {
  readonly ppks: PpkVault;
  readonly now: () => number;
}

/** Milliseconds after which a process that chained an end writes no entry of it any more: longer than any call takes. */
const LATEST_MS = 15 * 60_000;

/**
 * The end of the log, kept in another store than the log itself: an entry of the PPK vault, which is in no backup, so that
 * a ledger that was cut off together with its head, or put back as it was, does not agree with it. The entry of an end
 * takes the place of that of the end before.
 *
 * The transaction that chains an end marks it in the head of the log, before it has its entry, and a mark goes once the
 * entry is gone for good. So whoever chains next destroys what a crash has left, and an entry without a mark was left
 * by no writer: `smdpf verify` names it.
 */
export class HeadAnchors {
  readonly #ppks: PpkVault;
  readonly #now: () => number;
  /** Marks that this process has made: while they stand as they are, nobody else writes those entries. */
  readonly #own = new Map<number, number>();
  /** Ends whose entries are destroyed and come no more: their marks may go. */
  readonly #gone = new Set<number>();

  constructor({ ppks, now }: AnchoredIn) {
    this.#ppks = ppks;
    this.#now = now;
  }

  /** The marks of an end that is about to be written: those of entries that may still be there, and its own, the last. */
  marks(marked: readonly AnchorMark[], sequence: number): AnchorMark[] {
    const left = marked.filter((mark) => !this.#gone.has(mark.sequence) && mark.sequence !== sequence);
    const former = marked.find((mark) => mark.sequence === sequence)?.since ?? 0;
    return [...left, { sequence, since: Math.max(this.#now(), former + 1) }];
  }

  /** The end was written with its mark. `former` is one that this process has marked and will give no entry. */
  marked({ sequence, since }: AnchorMark, former?: number): void {
    this.#own.set(sequence, since);
    this.#gone.clear();
    if (former !== undefined) this.#gone.add(former);
  }

  /** Whether an end has its entry. */
  async has(sequence: number): Promise<boolean> {
    return (await this.#ppks.header(ppkAuditHead(sequence))) !== undefined;
  }

  /** Gives an end that this process has marked its entry, before those of earlier ones go, so that there is always one. */
  async keep(end: AuditHead, marked: readonly AnchorMark[]): Promise<void> {
    await this.#put(end);
    await this.destroyBelow(end.sequence, marked);
  }

  async destroyBelow(newest: number, marked: readonly AnchorMark[]): Promise<void> {
    for (const { sequence, since } of marked) {
      if (sequence >= newest) continue;
      await this.#ppks.destroyPack(ppkAuditHead(sequence));
      // the entry of another process may be on its way
      if (this.#own.get(sequence) !== since && this.#now() - since <= LATEST_MS) continue;
      this.#own.delete(sequence);
      this.#gone.add(sequence);
    }
  }

  /** Nothing but this end counts any more: after a restore, whose line in the log tells what was lost. */
  async reset(head: AuditHead): Promise<void> {
    for (const { sequence } of await this.all())
      if (sequence !== head.sequence) await this.#ppks.destroyPack(ppkAuditHead(sequence));
    if (head.sequence > 0) await this.#put(head);
  }

  /** Ends that the log has had, the lowest first. An entry that is damaged is a Fault. */
  async all(): Promise<AuditHead[]> {
    const heads: AuditHead[] = [];
    for await (const name of this.#ppks.names()) {
      if (!name.startsWith(PPK_AUDIT_HEADS)) continue;
      const header = await this.#ppks.header(name);
      if (header !== undefined) heads.push(anchoredHead.fromObject(name, header));
    }
    return heads.sort((one, other) => one.sequence - other.sequence);
  }

  async #put({ sequence, hash }: AuditHead): Promise<void> {
    const header = utf8(encodeAttributes(anchoredHead.to({ sequence, hash })));
    await this.#ppks.putPack(ppkAuditHead(sequence), header, []);
  }
}
