import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

interface Row {
  readonly partition: string;
  readonly sort: string;
  readonly attributes: string;
}

/**
 * What keeping the eUICCs costs besides: rows as many and as long as those of a ledger, by as many durable transactions and in the
 * same order, through prepared statements into a file of its own, with nothing between them. An entry has two rows that stand
 * where a digest says (who owns the key of its certificate, and its one-time key), one with the certificate and one with what
 * is known of the eUICC. The calls of node:crypto cannot be answered for without them: an acknowledged key must survive a power cut.
 */
export class StoredFloor {
  readonly #database: DatabaseSync;
  readonly #rows: { readonly owner: Row; readonly certificate: Row; readonly record: Row };
  #stored = 0;

  /** `ledger`: the file whose rows are the pattern; it has at least one eUICC. */
  constructor(ledger: string, file: string) {
    const pattern = new DatabaseSync(ledger, { readOnly: true });
    const row = pattern.prepare(
      'SELECT partition, attributes FROM item WHERE partition >= ? AND sort = ? LIMIT 1',
    );
    const rowOf = (from: string, sort: string): Row => {
      const { partition, attributes } = row.get(from, sort) ?? {};
      return { partition: String(partition), sort, attributes: String(attributes) };
    };
    this.#rows = {
      owner: rowOf('otpk#', 'owner'),
      certificate: rowOf('euicc#', 'certificate'),
      record: rowOf('euicc#', 'head'),
    };
    const { sql } = pattern.prepare("SELECT sql FROM sqlite_schema WHERE name = 'item'").get() ?? {};
    pattern.close();
    this.#database = new DatabaseSync(file);
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${sql}`);
  }

  /** A slice of so many entries, with one one-time key each. */
  store(entries: number): void {
    const { owner, certificate, record } = this.#rows;
    const digests = Array.from({ length: 2 * entries }, () => randomBytes(32).toString('hex')).sort();
    this.#write(
      digests.map((digest) => ending(owner.partition, digest)),
      owner,
    );
    const eids = Array.from({ length: entries }, (_, i) => String(this.#stored + i).padStart(12, '0'));
    const partitions = eids.map((digits) => ending(certificate.partition, digits));
    this.#write(partitions, certificate);
    this.#write(partitions, record);
    this.#stored += entries;
  }

  close(): void {
    this.#database.close();
  }

  #write(partitions: readonly string[], { sort, attributes }: Row): void {
    const insert = this.#database.prepare(
      'INSERT INTO item (partition, sort, revision, attributes, sum) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#database.exec('BEGIN IMMEDIATE');
    for (const partition of partitions) insert.run(partition, sort, attributes, 0xffffffff);
    this.#database.exec('COMMIT');
  }
}

/** The text with another end. */
const ending = (text: string, end: string) => text.slice(0, -end.length) + end;
