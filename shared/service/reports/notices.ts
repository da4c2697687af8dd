import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import type { Write } from '../../ledger/ledger.ts';
import { ifPresent, present } from '../../present.ts';
import { ledgerKeys, noticeName } from '../records/keys.ts';
import { noticeRecord } from '../records/notice.ts';
import type { ProfileRecord } from '../records/profile.ts';

/**
 * The body of es2f.handleProfileLoadingInfo (ours, after ES2+ handleDownloadProgressInfo), waiting in the ledger for
 * the notifier. Written with the state change that it tells of.
 */
export function noticeWrite(news: {
  /** functionCallIdentifier. */
  id: string;
  orderId: string;
  url: string;
  /** How many may go in one call, as the order says. */
  batch?: number | undefined;
  /** functionRequesterIdentifier: the OID of this SM-DPf. */
  caller: string;
  record: ProfileRecord;
  fpaCause?: string;
}): Write {
  const { id, url, batch, orderId, record, fpaCause, caller } = news;
  const failed = record.state === 'Failed' || record.state === 'Unreported';
  const body = {
    header: { functionRequesterIdentifier: caller, functionCallIdentifier: id },
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
    ...present({ resultData: ifPresent(record.result, base64) }),
    ...present({ fpaError: fpaCause }),
  };
  return {
    put: ledgerKeys.notice(noticeName(orderId, id)),
    attributes: noticeRecord.to({
      orderId,
      url,
      ...present({ batch }),
      content: JSON.stringify(body),
      createdAt: record.at,
      attempts: 0,
      dueAt: record.at,
    }),
    when: 'absent',
  };
}

/** The notice of a profile that is closed before it was bound; an order has it once for each position. */
export function closedNotice(news: {
  orderId: string;
  position: number;
  url: string;
  batch?: number | undefined;
  caller: string;
  record: ProfileRecord;
}): Write {
  const { orderId, position, ...more } = news;
  const order = createHash('sha256').update(orderId).digest('hex').slice(0, 24);
  return noticeWrite({ id: `${order}-${position}-1`, orderId, ...more });
}

const base64 = (octets: Bytes) => Buffer.from(octets).toString('base64');
