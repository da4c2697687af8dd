import { createHash } from 'node:crypto';
import { type RawWrite, textOf } from './raw.ts';
import { demand } from './violation.ts';

const WAITING = 'audit-pending';
const CHAIN = 'audit';

/** JSON with members in the order of their names. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/** The audit log as it grows (I8): what waits is chained, each line upon the one before it. */
export class AuditChain {
  #last: { readonly sequence: number; readonly hash: string } | undefined;
  lines = 0;
  readonly #told = new Map<number, string>();

  /** Whether the line that somebody was told of is the one that was told under this number before. */
  isAsTold(sequence: number, hash: string): boolean {
    const before = this.#told.get(sequence);
    if (before === undefined) this.#told.set(sequence, hash);
    return before === undefined || before === hash;
  }

  /** After a restore the chain goes on from an older end. */
  forget(): void {
    this.#last = undefined;
    this.#told.clear();
  }

  saw(writes: readonly RawWrite[]): void {
    let chained = 0;
    let taken = 0;
    for (const write of writes) {
      if ('put' in write && write.put.partition === CHAIN && write.put.sort.startsWith('line#')) {
        this.#line(write.attributes);
        chained += 1;
      } else if ('remove' in write && write.remove.partition === WAITING) taken += 1;
    }
    demand(taken <= chained, 'I8', () => `${taken} waiting lines were removed and ${chained} chained`);
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

export function requireLine(writes: readonly RawWrite[]): void {
  const changes = writes.flatMap((write) => {
    if (!('put' in write)) return [];
    const { partition, sort } = write.put;
    return TOLD.some((told) => told.test(partition) || told.test(`${partition}/${sort}`))
      ? [`${partition}/${sort}`]
      : [];
  });
  if (changes.length === 0) return;
  const told = writes.some((write) => 'put' in write && write.put.partition === WAITING);
  demand(told, 'I8', () => `${changes.join(', ')} changed without a line of the audit log`);
}
