import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

/**
 * SHA-256 over every item that an ingest leaves in a SQLite ledger, revisions included. Left out is what tells the time:
 * the audit log, lists by time, when a batch was taken and completed, and when the reaper is to come by.
 */
export function stateOf(ledgerFile: string): string {
  const database = new DatabaseSync(ledgerFile, { readOnly: true });
  const hash = createHash('sha256');
  const rows = database
    .prepare(
      "SELECT * FROM item WHERE partition NOT LIKE 'audit%' AND partition NOT LIKE 'traces#%' AND partition NOT LIKE 'listed#%' AND NOT (partition LIKE 'ingest#%' AND sort = 'head') ORDER BY partition, sort",
    )
    .iterate();
  for (const row of rows) hash.update(`${JSON.stringify(Object.values(row))}\n`);
  database.close();
  return hash.digest('hex');
}
