import type { BppAnswer } from '../api/esbpp.ts';

/** Milliseconds for which an answer is given again: what ends a withholding is seen after that. */
const KEPT_MS = 60_000;
/** Octets of batches and manifests that are kept in one process. */
const KEPT_OCTETS = 32 * 1024 * 1024;

interface Kept {
  readonly standing: string;
  readonly at: number;
  readonly octets: number;
  readonly answer: BppAnswer;
}

/**
 * Answers of finished jobs of several chunks, so that a device manufacturer who asks for one again and again costs a few
 * reads, not all the job's commits (I13); after a minute, and in another process, answer-record.ts has those in parts. An answer counts for one standing: the trust epoch, which every revocation
 * moves (I6), and the delivery keys that were retired. Of those who ask at once for a job that nobody has counted yet, one
 * counts. Nothing here must survive: the answer is made of the ledger and the vault again, octet for octet (I4).
 */
export class FinishedAnswers {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #counting = new Map<string, Promise<BppAnswer>>();
  #octets = 0;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  async answer(jobId: string, standing: string, count: () => Promise<BppAnswer>): Promise<BppAnswer> {
    const kept = this.#kept.get(jobId);
    const at = this.#now();
    // an answer from the future is one from before the clock was set back
    if (kept?.standing === standing && at >= kept.at && at - kept.at < KEPT_MS) return kept.answer;
    const name = `${jobId} ${standing}`;
    let counting = this.#counting.get(name);
    if (counting === undefined) {
      counting = count().finally(() => this.#counting.delete(name));
      this.#counting.set(name, counting);
    }
    const answer = await counting;
    if (answer.state === 'Done') this.#keep(jobId, { standing, at, octets: octetsOf(answer), answer });
    return answer;
  }

  #keep(jobId: string, kept: Kept): void {
    this.#forget(jobId);
    if (kept.octets > KEPT_OCTETS) return;
    this.#kept.set(jobId, kept);
    this.#octets += kept.octets;
    for (const oldest of this.#kept.keys()) {
      if (this.#octets <= KEPT_OCTETS) return;
      this.#forget(oldest);
    }
  }

  #forget(jobId: string): void {
    this.#octets -= this.#kept.get(jobId)?.octets ?? 0;
    this.#kept.delete(jobId);
  }
}

/** Octets for a part or a failed item, roughly. */
const PER_ENTRY = 400;

const octetsOf = ({ bppBatch, manifest, manifestRoot, parts = [], failed }: BppAnswer): number =>
  (bppBatch?.length ?? 0) +
  (manifest?.length ?? manifestRoot?.length ?? 0) +
  (parts.length + failed.length) * PER_ENTRY;
