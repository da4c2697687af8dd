import { replaceProfile as binding } from '../../shared/gsma/functions/es2f/replace-profile.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const replaceProfile = partyFunction('es2f.replaceProfile', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(replaceProfile);
