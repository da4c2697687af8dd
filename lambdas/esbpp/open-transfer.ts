import { openTransfer as binding } from '../../shared/gsma/functions/open-transfer.ts';
import { partyFunction } from '../function-handler.ts';

export const openTransfer = partyFunction('esbpp.openTransfer', binding);
