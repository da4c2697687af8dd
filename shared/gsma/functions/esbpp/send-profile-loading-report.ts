import { refuse } from '../../../errors.ts';
import { decodeProfileLoadingReport } from '../../../ifpp-draft1/profile-loading-report.ts';
import { present } from '../../../present.ts';
import { warningsMember } from '../../../warnings.ts';
import { object, optional } from '../../check.ts';
import { base64, id16, transferId, writeId16 } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';
import { inlineOrTransferred } from '../../transferred.ts';

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
    const report = await inlineOrTransferred(
      services,
      caller,
      'profileLoadingReport',
      input.profileLoadingReport,
      input.transferId,
    );
    if (input.reportId !== undefined && decodeProfileLoadingReport(report).reportId !== input.reportId) {
      refuse('protocolFormat', 'reportId is not the one in the ProfileLoadingReport');
    }
    const answer = await services.reports.sendProfileLoadingReport(caller, report);
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
