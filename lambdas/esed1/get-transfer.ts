import { getTransfer as binding } from '../../shared/gsma/functions/common/get-transfer.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getTransfer = partyFunction('esed1.getTransfer', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getTransfer);
