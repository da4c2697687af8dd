import { checkEligibility as binding } from '../../shared/gsma/functions/es2f/check-eligibility.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const checkEligibility = partyFunction('es2f.checkEligibility', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(checkEligibility);
