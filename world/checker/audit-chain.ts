import { createHash } from 'node:crypto';
import { type RawKey, type RawWrite, textOf } from './raw.ts';
import { demand } from './violation.ts';

/** Lines that wait, and those of the chain, are spread over partitions. */
const isWaiting = (partition: string) => partition.startsWith('audit-pending#');
const isChained = (partition: string) => partition.startsWith('audit-line#');

const nameOf = ({ partition, sort }: RawKey) => `${partition}/${sort}`;

/** JSON with members in the order of their names. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/** A line as it waits. */
interface Waiting {
  readonly content: string;
  readonly storedAt: number;
  /** By a clock that was ahead. */
  readonly isAhead: boolean;
}

/**
 * The audit log as it grows (I8): what waits is chained as it was written, each line once and upon the one before it, and none
 * before a line that was there when it was written.
 */
export class AuditChain {
  #last: { readonly sequence: number; readonly hash: string } | undefined;
  lines = 0;
  readonly #told = new Map<number, string>();
  /** By partition and sort key. */
  readonly #waiting = new Map<string, Waiting>();

  /** Whether the line that somebody was told of is the one that was told under this number before. */
  isAsTold(sequence: number, hash: string): boolean {
    const before = this.#told.get(sequence);
    if (before === undefined) this.#told.set(sequence, hash);
    return before === undefined || before === hash;
  }

  /** After a restore the chain goes on from an older end, and lines wait again that were chained. */
  forget(): void {
    this.#last = undefined;
    this.#told.clear();
    this.#waiting.clear();
  }

  /** `now`: milliseconds since 1970. */
  saw(writes: readonly RawWrite[], now: number): void {
    const chained: Readonly<Record<string, unknown>>[] = [];
    const taken = new Map<string, Waiting | undefined>();
    for (const write of writes) {
      if ('put' in write && isChained(write.put.partition)) chained.push(write.attributes);
      else if ('put' in write && isWaiting(write.put.partition))
        this.#waiting.set(nameOf(write.put), {
          content: canonical(write.attributes),
          storedAt: now,
          isAhead: Date.parse(textOf(write.attributes.at)) > now,
        });
      else if ('remove' in write && isWaiting(write.remove.partition))
        taken.set(nameOf(write.remove), this.#waiting.get(nameOf(write.remove)));
    }
    const { size } = taken;
    demand(size === chained.length, 'I8', () => `${size} waiting lines are gone, ${chained.length} chained`);
    for (const line of chained.sort((a, b) => Number(a.sequence) - Number(b.sequence))) {
      this.#line(line);
      this.#take(line, taken);
    }
  }

  /** Of what the transaction takes away, the line that it chains here. */
  #take(
    { sequence, previous: _, hash: __, ...line }: Readonly<Record<string, unknown>>,
    taken: Map<string, Waiting | undefined>,
  ): void {
    const content = canonical(line);
    const [name] = [...taken].find(([, waiting]) => waiting?.content === content) ?? [];
    const isKnown = [...taken.values()].every((waiting) => waiting !== undefined);
    demand(name !== undefined || !isKnown, 'I8', () => `line ${sequence} is none of those that waited`);
    if (name === undefined) return;
    // nothing is promised while a line is from a clock that was ahead
    const isPromised = [...this.#waiting.values()].every(({ isAhead }) => !isAhead);
    taken.delete(name);
    this.#waiting.delete(name);
    const at = Date.parse(textOf(line.at));
    const earlier = [...this.#waiting].find(([, { storedAt }]) => storedAt < at);
    demand(
      !isPromised || earlier === undefined,
      'I8',
      () =>
        `line ${sequence} of ${textOf(line.at)} was chained before ${earlier?.[0]}, which was there by then`,
    );
  }

  #line({ v: _version, hash, ...line }: Readonly<Record<string, unknown>>): void {
    this.lines += 1;
    const { sequence, previous } = line;
    const computed = createHash('sha256').update(canonical(line)).digest('hex');
    demand(hash === computed, 'I8', () => `line ${sequence} has another hash than its members`);
    const last = this.#last;
    if (last !== undefined) {
      demand(sequence === last.sequence + 1, 'I8', () => `line ${sequence} follows ${last.sequence}`);
      demand(previous === last.hash, 'I8', () => `line ${sequence} does not lean on the one before`);
    }
    this.#last = { sequence: Number(sequence), hash: textOf(hash) };
  }
}

/** Changes of state that have a line beside them in the same transaction. */
const TOLD = [/^party$/, /^trust$/, /^keys$/, /^order#[^/]*\/state$/, /^job#[^/]*\/chunk#/];

/** Whether a line of the audit log is written. */
export const tellsOf = (writes: readonly RawWrite[]) =>
  writes.some((write) => 'put' in write && isWaiting(write.put.partition));

export function requireLine(writes: readonly RawWrite[]): void {
  const changes = writes.flatMap((write) => {
    if (!('put' in write)) return [];
    const { partition, sort } = write.put;
    return TOLD.some((told) => told.test(partition) || told.test(`${partition}/${sort}`))
      ? [`${partition}/${sort}`]
      : [];
  });
  if (changes.length === 0) return;
  demand(tellsOf(writes), 'I8', () => `${changes.join(', ')} changed without a line of the audit log`);
}
