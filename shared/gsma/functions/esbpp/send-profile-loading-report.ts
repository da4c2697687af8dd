import { present } from '../../../present.ts';
import { warningsMember } from '../../../warnings.ts';
import { object, optional } from '../../check.ts';
import { base64, id16, transferId, writeId16 } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';
import { inlineOrObject } from '../../transferred.ts';

const body = object({
  reportId: optional(id16),
  profileLoadingReport: optional(base64),
  transferId: optional(transferId),
});

/**
 * Esbpp.sendProfileLoadingReport: a ProfileLoadingReport (FF63). The report names itself; a reportId beside it must
 * be the same one.
 */
export const sendProfileLoadingReport = partyFunction({
  path: 'esbpp.sendProfileLoadingReport',
  role: 'deviceMaker',
  reaches: ['job', 'transfer'],
  transfers: ['profileLoadingReport'],
  needs: { vault: 'write', dispatcher: true, notifier: true },
  body,
  fromDer: (profileLoadingReport) => ({ profileLoadingReport }),
  subject: ({ reportId }) => present({ reportId }),
  async call(services, caller, input) {
    const report = await inlineOrObject(
      services,
      caller,
      { name: 'profileLoadingReport', purpose: 'profileLoadingReport' },
      input.profileLoadingReport,
      input.transferId,
    );
    const answer = await services.reports.sendProfileLoadingReport(caller, report, input.reportId);
    return {
      members: {
        reportId: writeId16(answer.reportId),
        state: answer.state,
        verified: answer.verified,
        noted: answer.noted,
        rejectedCount: answer.rejectedCount,
        rejected: answer.rejected.map((item) => ({ itemIndex: item.itemIndex, ...itemCodes(item) })),
        ...warningsMember(answer.warnings),
      },
      warning: answer.rejectedCount > 0,
      subject: { reportId: answer.reportId },
    };
  },
});
