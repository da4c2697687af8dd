import { openTransfer as binding } from '../../shared/gsma/functions/common/open-transfer.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const openTransfer = partyFunction('es2f.openTransfer', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(openTransfer);
