import type { AuditHead, ChainedLine } from '../api/admin.ts';
import { lineHash } from './line.ts';

/** `previous` of the first line. */
export const GENESIS = '0'.repeat(64);

/** A line, and what is wrong with it. */
export interface CheckedLine {
  readonly sequence: number;
  readonly problem?: string;
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
