import { closeKeys as binding } from '../../shared/gsma/functions/close-keys.ts';
import { partyFunction } from '../function-handler.ts';

export const closeKeys = partyFunction('esed1.closeKeys', binding);
