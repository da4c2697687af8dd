import { releaseProfile as binding } from '../../shared/gsma/functions/es2f/release-profile.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const releaseProfile = partyFunction('es2f.releaseProfile', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(releaseProfile);
