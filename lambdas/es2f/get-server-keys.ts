import { getServerKeys as binding } from '../../shared/gsma/functions/common/get-server-keys.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getServerKeys = partyFunction('es2f.getServerKeys', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getServerKeys);
