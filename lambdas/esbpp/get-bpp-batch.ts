import { getBppBatch as binding } from '../../shared/gsma/functions/get-bpp-batch.ts';
import { partyFunction } from '../function-handler.ts';

export const getBppBatch = partyFunction('esbpp.getBppBatch', binding);
