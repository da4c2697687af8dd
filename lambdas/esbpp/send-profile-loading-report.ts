import { sendProfileLoadingReport as binding } from '../../shared/gsma/functions/esbpp/send-profile-loading-report.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const sendProfileLoadingReport = partyFunction('esbpp.sendProfileLoadingReport', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(sendProfileLoadingReport);
