import { getOrderStatus as binding } from '../../shared/gsma/functions/es2f/get-order-status.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getOrderStatus = partyFunction('es2f.getOrderStatus', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getOrderStatus);
