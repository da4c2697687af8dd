import { cancelOrder as binding } from '../../shared/gsma/functions/cancel-order.ts';
import { partyFunction } from '../function-handler.ts';

export const cancelOrder = partyFunction('es2f.cancelOrder', binding);
