import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Bytes } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import {
  copyDatabase,
  type DatabaseForm,
  openDatabase,
  ownerOnly,
  toDatabaseFault,
} from '../../sqlite/database.ts';
import { GroupCommit } from '../../sqlite/group-commit.ts';
import { DamagedObject, type ObjectRef } from '../vault.ts';

const FORM: DatabaseForm = {
  store: 'vault',
  // "SMDv"
  applicationId: 0x534d4476,
  schemaVersion: 1,
  schema: `
    CREATE TABLE IF NOT EXISTS object (
      name    TEXT    NOT NULL,
      version INTEGER NOT NULL,
      locked  INTEGER NOT NULL,
      sha256  TEXT    NOT NULL,
      body    BLOB    NOT NULL,
      PRIMARY KEY (name, version)
    ) STRICT;`,
};

/** Names of a page. */
const PAGE = 1_000;

/** An object without its content. */
interface Head {
  readonly ref: ObjectRef;
  readonly locked: boolean;
}

/**
 * The small objects of a vault in files: one SQLite database, so that those who store at the same time share one flush of
 * the medium, where a file of its own would cost each of them three. For kinds of objects of which one comes with each
 * profile that is bound just in time. Contents are found out by their SHA-256, as those of files are.
 */
export class SmallObjects {
  readonly #database: DatabaseSync;
  readonly #group: GroupCommit;
  readonly #newest: StatementSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #names: StatementSync;
  readonly #remove: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    // what is removed is nowhere in the file either
    database.exec('PRAGMA secure_delete = ON');
    this.#group = new GroupCommit(database, 'vault');
    this.#newest = database.prepare(
      'SELECT version, locked, sha256, length(body) AS size FROM object WHERE name = ? ORDER BY version DESC LIMIT 1',
    );
    this.#insert = database.prepare('INSERT INTO object VALUES (?, ?, ?, ?, ?)');
    this.#select = database.prepare('SELECT sha256, body FROM object WHERE name = ? AND version = ?');
    this.#names = database.prepare(
      'SELECT DISTINCT name FROM object WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?',
    );
    this.#remove = database.prepare('DELETE FROM object WHERE name = ? AND locked = 0');
  }

  static async open(file: string): Promise<SmallObjects> {
    return new SmallObjects(await openDatabase(file, FORM));
  }

  /** As they stand at one moment, into a new file. */
  static copy(file: string, to: string): void {
    copyDatabase(file, to, 'vault');
  }

  /** As `Vault.put`. */
  async put(name: string, body: Bytes, lock: boolean): Promise<ObjectRef> {
    const sha256 = createHash('sha256').update(body).digest('hex');
    const { ref, refused } = await this.#group.run(1, () => {
      const newest = this.#head(name);
      if (newest !== undefined && lock) return { ref: newest.ref };
      if (newest?.locked) return { ref: newest.ref, refused: true };
      const version = Number(newest?.ref.version ?? 0) + 1;
      this.#insert.run(name, version, lock ? 1 : 0, sha256, body);
      return { ref: { name, version: versionText(version), size: body.length, sha256 } };
    });
    if (refused) throw new Fault('vault', `the object ${name} is locked`);
    return ref;
  }

  /** The whole object; undefined where there is no such version. */
  get({ name, version, size, sha256 }: ObjectRef): Bytes | undefined {
    const row = guarded(() => this.#select.get(name, Number(version)));
    if (row === undefined || row.sha256 !== sha256) return undefined;
    const { body } = row;
    if (!(body instanceof Uint8Array) || body.length !== size) throw new DamagedObject(name);
    if (createHash('sha256').update(body).digest('hex') !== sha256) throw new DamagedObject(name);
    return body;
  }

  head(name: string): ObjectRef | undefined {
    return guarded(() => this.#head(name)?.ref);
  }

  /** Names that begin with this, in the order of octets. */
  *names(prefix: string): Generator<string> {
    // names are ASCII
    const end = `${prefix}\u007f`;
    let after = '';
    for (;;) {
      const rows = guarded(() => this.#names.all(after, prefix, end, PAGE));
      for (const { name } of rows) yield String(name);
      if (rows.length < PAGE) return;
      after = String(rows.at(-1)!.name);
    }
  }

  /** Every version that is not locked. */
  async remove(name: string): Promise<void> {
    await this.#group.run(1, () => this.#remove.run(name));
  }

  /** Takes in what another database of small objects has and this one lacks. */
  async takeIn(file: string): Promise<void> {
    ownerOnly(file);
    guarded(() => {
      this.#database.prepare('ATTACH ? AS other').run(file);
      try {
        this.#database.exec('INSERT OR IGNORE INTO object SELECT * FROM other.object');
      } finally {
        this.#database.exec('DETACH other');
      }
    });
  }

  close(): void {
    this.#group.close();
  }

  #head(name: string): Head | undefined {
    const row = this.#newest.get(name);
    if (row === undefined) return undefined;
    const { version, locked, sha256, size } = row;
    const ref = { name, version: versionText(Number(version)), size: Number(size), sha256: String(sha256) };
    return { ref, locked: locked === 1 };
  }
}

const versionText = (version: number) => String(version).padStart(8, '0');

function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toDatabaseFault('vault', error);
  }
}
