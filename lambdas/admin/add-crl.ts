import { addCrl as binding } from '../../shared/gsma/functions/admin/add-crl.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const addCrl = partyFunction('admin.addCrl', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(addCrl);
