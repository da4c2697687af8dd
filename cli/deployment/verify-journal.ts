import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { object, oneOf, type TypeOf, text, whole } from '../../shared/service/records/schema.ts';
import { type Place, STAGE_NAMES, START } from '../../shared/service/verify/verify.ts';

const journal = object({
  stage: oneOf(...STAGE_NAMES),
  after: text,
  /** Things that were looked at before. */
  looked: whole,
});

export type Journal = TypeOf<typeof journal>;

/** Where a run of `smdpf verify` stands, in a file of the folder, for one that goes on after it was cut off. */
export class VerifyJournal {
  readonly #file: string | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** The place to go on from; the beginning where none was left, or it cannot be read. */
  read(): { readonly place: Place; readonly looked: number } {
    const beginning = { place: START, looked: 0 };
    if (this.#file === undefined || !existsSync(this.#file)) return beginning;
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch {
      return beginning;
    }
    if (journal.check(value) !== undefined) return beginning;
    const { stage, after, looked } = value as Journal;
    return { place: { stage, after }, looked };
  }

  write({ stage, after }: Place, looked: number): void {
    if (this.#file === undefined) return;
    writeFileSync(`${this.#file}.new`, JSON.stringify({ stage, after, looked }), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }

  end(): void {
    if (this.#file !== undefined) rmSync(this.#file, { force: true });
  }
}
