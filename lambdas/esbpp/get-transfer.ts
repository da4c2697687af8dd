import { getTransfer as binding } from '../../shared/gsma/functions/get-transfer.ts';
import { partyFunction } from '../function-handler.ts';

export const getTransfer = partyFunction('esbpp.getTransfer', binding);
