import { closeKeys as binding } from '../../shared/gsma/functions/common/close-keys.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const closeKeys = partyFunction('esbpp.closeKeys', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(closeKeys);
