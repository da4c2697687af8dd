import { Fault } from '../errors.ts';
import type { Ledger } from './ledger.ts';

/**
 * Opens the ledger that a URI of the configuration names:
 *
 * - `sqlite:FILE`, relative to the working folder or absolute (`sqlite::memory:` for a ledger of this process
 *   that is gone when closed)
 * - `dynamodb:TABLE`, in the region, with the credentials and at the endpoint of the SDK's own configuration
 */
export async function openLedger(uri: string): Promise<Ledger> {
  const [, scheme, rest] = /^([a-z0-9]+):(.+)$/is.exec(uri) ?? [];
  // Each adapter loads on demand, so that the embedded server never loads a cloud SDK.
  switch (scheme?.toLowerCase()) {
    case 'sqlite': {
      const { SqliteLedger } = await import('./sqlite.ts');
      return SqliteLedger.open(rest!);
    }
    case 'dynamodb': {
      const { DynamoDbLedger } = await import('./dynamodb.ts');
      return DynamoDbLedger.open(rest!);
    }
    default:
      throw new Fault('configuration', `${uri} names no ledger: expected sqlite:FILE or dynamodb:TABLE`);
  }
}
