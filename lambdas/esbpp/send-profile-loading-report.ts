import { sendProfileLoadingReport as binding } from '../../shared/gsma/functions/send-profile-loading-report.ts';
import { partyFunction } from '../function-handler.ts';

export const sendProfileLoadingReport = partyFunction('esbpp.sendProfileLoadingReport', binding);
