import { requestBpp as binding } from '../../shared/gsma/functions/esbpp/request-bpp.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const requestBpp = partyFunction('esbpp.requestBpp', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(requestBpp);
