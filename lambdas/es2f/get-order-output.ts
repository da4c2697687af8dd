import { getOrderOutput as binding } from '../../shared/gsma/functions/get-order-output.ts';
import { partyFunction } from '../function-handler.ts';

export const getOrderOutput = partyFunction('es2f.getOrderOutput', binding);
