import { recordOf } from './record.ts';
import { whole } from './schema.ts';

/** What the health of the ledger is tried with. Milliseconds since 1970. */
export const probeRecord = recordOf('probe', { at: whole });
