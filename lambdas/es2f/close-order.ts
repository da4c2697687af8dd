import { closeOrder as binding } from '../../shared/gsma/functions/es2f/close-order.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const closeOrder = partyFunction('es2f.closeOrder', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(closeOrder);
