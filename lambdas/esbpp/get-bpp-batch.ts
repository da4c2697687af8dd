import { getBppBatch as binding } from '../../shared/gsma/functions/esbpp/get-bpp-batch.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getBppBatch = partyFunction('esbpp.getBppBatch', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getBppBatch);
