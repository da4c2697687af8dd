import { prepareProfiles as binding } from '../../shared/gsma/functions/prepare-profiles.ts';
import { partyFunction } from '../function-handler.ts';

export const prepareProfiles = partyFunction('es2f.prepareProfiles', binding);
