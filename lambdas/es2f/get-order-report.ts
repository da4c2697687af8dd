import { getOrderReport as binding } from '../../shared/gsma/functions/es2f/get-order-report.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getOrderReport = partyFunction('es2f.getOrderReport', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getOrderReport);
