import { getOrderStatus as binding } from '../../shared/gsma/functions/get-order-status.ts';
import { partyFunction } from '../function-handler.ts';

export const getOrderStatus = partyFunction('es2f.getOrderStatus', binding);
