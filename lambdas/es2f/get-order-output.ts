import { getOrderOutput as binding } from '../../shared/gsma/functions/es2f/get-order-output.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getOrderOutput = partyFunction('es2f.getOrderOutput', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getOrderOutput);
