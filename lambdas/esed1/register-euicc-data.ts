import { registerEuiccData as binding } from '../../shared/gsma/functions/register-euicc-data.ts';
import { partyFunction } from '../function-handler.ts';

export const registerEuiccData = partyFunction('esed1.registerEuiccData', binding);
