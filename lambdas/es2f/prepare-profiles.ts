import { prepareProfiles as binding } from '../../shared/gsma/functions/es2f/prepare-profiles.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const prepareProfiles = partyFunction('es2f.prepareProfiles', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(prepareProfiles);
