import { registerEuiccData as binding } from '../../shared/gsma/functions/esed1/register-euicc-data.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const registerEuiccData = partyFunction('esed1.registerEuiccData', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(registerEuiccData);
