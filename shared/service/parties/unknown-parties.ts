import type { Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Warning } from '../../warnings.ts';
import { partitions } from '../records/keys.ts';
import { partyRecord } from '../records/party.ts';

/**
 * Warns of identifiers under which no device manufacturer has a certificate that is not revoked: a misspelt one is
 * accepted, since a party may be registered later, and nobody could ever use it.
 */
export async function unknownMakers(ledger: Ledger, identifiers: readonly string[]): Promise<Warning[]> {
  const known = new Set<string>();
  for (const item of await scanAll(ledger, partitions.parties)) {
    const { identifier, role, revokedAt } = partyRecord.from(item);
    if (role === 'deviceMaker' && revokedAt === undefined) known.add(identifier);
  }
  return [...new Set(identifiers)]
    .filter((identifier) => !known.has(identifier))
    .map((identifier) => ({
      code: 'partyUnknown',
      message: `no device manufacturer is registered as ${identifier}`,
    }));
}
