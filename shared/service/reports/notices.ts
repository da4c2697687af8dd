import type { Bytes } from '../../codec/bytes.ts';
import type { Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import { ledgerKeys } from '../records/keys.ts';
import { noticeRecord } from '../records/notice.ts';
import type { ProfileRecord } from '../records/profile.ts';

/**
 * The body of es2f.handleProfileLoadingInfo (ours, after ES2+ handleDownloadProgressInfo), waiting in the ledger for
 * the notifier. Written with the state change that it tells of.
 */
export function noticeWrite(news: {
  id: string;
  orderId: string;
  url: string;
  record: ProfileRecord;
  fpaCause?: string;
}): Write {
  const { id, url, orderId, record, fpaCause } = news;
  const failed = record.state === 'Failed' || record.state === 'Unreported';
  return {
    put: ledgerKeys.notice(id),
    attributes: noticeRecord.to({
      url,
      attempts: 0,
      dueAt: record.at,
      body: {
        header: { functionRequesterIdentifier: 'smdpf', functionCallIdentifier: id },
        orderId,
        iccid: record.iccid,
        eid: record.eid,
        profileState: record.state,
        timestamp: new Date(record.at).toISOString().replace(/\.\d{3}Z$/, 'Z'),
        notificationPointStatus: failed
          ? {
              status: 'Failed',
              statusCodeData: {
                subjectCode: '8.2',
                reasonCode: '4.2',
                ...present({ message: record.detail }),
              },
            }
          : { status: 'Executed-Success' },
        ...(record.result === undefined ? {} : { resultData: base64(record.result) }),
        ...present({ fpaError: fpaCause }),
      },
    }),
    when: 'absent',
  };
}

const base64 = (octets: Bytes) => Buffer.from(octets).toString('base64');
