import type { AuditHead, ChainedLine } from '../api/admin.ts';
import type { CheckedLine } from './chain-check.ts';

/** A head that the log is known to have had, and in words by what. */
export interface KnownHead extends AuditHead {
  readonly by: string;
}

/** Holds the lines of a chain against heads that it has had: each has to be on it, where it was. */
export class KnownHeadsCheck {
  readonly #bySequence = new Map<number, KnownHead[]>();

  constructor(heads: readonly KnownHead[]) {
    for (const head of heads)
      this.#bySequence.set(head.sequence, [...(this.#bySequence.get(head.sequence) ?? []), head]);
  }

  problemOf({ sequence, hash }: Pick<ChainedLine, 'sequence' | 'hash'>): string | undefined {
    const heads = this.#bySequence.get(sequence) ?? [];
    this.#bySequence.delete(sequence);
    const other = heads.find((head) => head.hash !== hash);
    return other && `the line is another one than ${other.by} has`;
  }

  /** Heads that no line came for; the next line would be `expected`. */
  *rest(expected: number): Generator<CheckedLine> {
    for (const { sequence, by } of [...this.#bySequence.values()].flat()) {
      if (sequence < expected) yield { sequence, problem: `the line that ${by} has is missing` };
      else
        yield { sequence, problem: `lines ${expected} to ${sequence} were cut off: ${by} has the later end` };
    }
  }
}
