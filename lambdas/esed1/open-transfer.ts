import { openTransfer as binding } from '../../shared/gsma/functions/open-transfer.ts';
import { partyFunction } from '../function-handler.ts';

export const openTransfer = partyFunction('esed1.openTransfer', binding);
