import { requestBpp as binding } from '../../shared/gsma/functions/request-bpp.ts';
import { partyFunction } from '../function-handler.ts';

export const requestBpp = partyFunction('esbpp.requestBpp', binding);
