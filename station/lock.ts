import { Fault } from '../shared/errors.ts';
import { sqlite } from '../shared/sqlite/module.ts';

/**
 * A lock that is held while this process lives, and not a moment longer: the operating system lets it go when the process ends,
 * however it ends, so that nothing stale is ever left. It is a write transaction on an empty SQLite file that never ends. `what`
 * names what is locked, in the refusal of a second holder.
 */
export function lock(file: string, what: string): () => void {
  const { DatabaseSync } = sqlite();
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    const { errcode } = cause as { readonly errcode?: number };
    if (errcode !== SQLITE_BUSY) throw cause;
    throw new Fault('configuration', `${what} is in use by another station`, { cause });
  }
  return () => database.close();
}

const SQLITE_BUSY = 5;
