import { createHash } from 'node:crypto';
import type { Attributes, Item, Ledger, Write } from '../ledger/ledger.ts';
import { padded } from './records/keys.ts';

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

const PENDING = 'audit-pending';
const CHAIN = 'audit';
const HEAD = { partition: CHAIN, sort: 'head' };
const GENESIS = '0'.repeat(64);
const BATCH = 90;

/** The write that makes the line wait; part of the transaction that changes the state. `id` makes it repeatable. */
export function auditWrite(line: AuditLine, id: string, atMs: number): Write {
  return {
    put: { partition: PENDING, sort: `${padded(Math.floor(atMs / 1000))}#${id}` },
    attributes: { ...line, at: new Date(atMs).toISOString() } as Attributes,
    when: 'absent',
  };
}

export class AuditLog {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
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
          put: { partition: CHAIN, sort: `line#${padded(sequence)}` },
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

  /** The last line of the chain by its number, and the hash that stands for all up to it. */
  async head(): Promise<{ sequence: number; hash: string }> {
    const head = await this.#ledger.get(HEAD);
    return {
      sequence: Number(head?.attributes.sequence ?? 0),
      hash: String(head?.attributes.hash ?? GENESIS),
    };
  }

  /** Walks the chain; every break is reported with the sequence number where it shows. */
  async *verify(): AsyncGenerator<{ sequence: number; problem?: string }> {
    let previous = GENESIS;
    let expected = 1;
    for await (const item of this.#lines()) {
      const { hash, ...line } = item.attributes as Record<string, unknown> & {
        hash: string;
        sequence: number;
        previous: string;
      };
      const sequence = Number(line.sequence);
      if (item.sort !== `line#${padded(sequence)}`)
        yield { sequence, problem: 'the line stands in another place' };
      else if (sequence !== expected)
        yield { sequence, problem: `lines ${expected} to ${sequence - 1} are missing` };
      else if (line.previous !== previous)
        yield { sequence, problem: 'the line does not follow the one before it' };
      else if (lineHash(line) !== hash) yield { sequence, problem: 'the line was changed' };
      else yield { sequence };
      previous = hash;
      expected = sequence + 1;
    }
    const head = await this.#ledger.get(HEAD);
    const last = Number(head?.attributes.sequence ?? 0);
    if (last !== expected - 1 || String(head?.attributes.hash ?? GENESIS) !== previous) {
      yield { sequence: last, problem: 'the end of the log is missing or was changed' };
    }
  }

  async *#lines(): AsyncGenerator<Item> {
    let cursor: string | undefined;
    do {
      const page = await this.#ledger.query(CHAIN, {
        prefix: 'line#',
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

/** SHA-256 over the line's members in the order of their names. */
function lineHash(line: Readonly<Record<string, unknown>>): string {
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
