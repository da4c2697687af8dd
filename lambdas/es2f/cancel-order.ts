import { cancelOrder as binding } from '../../shared/gsma/functions/es2f/cancel-order.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const cancelOrder = partyFunction('es2f.cancelOrder', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(cancelOrder);
