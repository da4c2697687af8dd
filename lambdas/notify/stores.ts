import { Fault } from '../../shared/errors.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { openLedger } from '../../shared/ledger/open.ts';
import { NoticeQueue } from '../../shared/notify/sqs.ts';
import { readConfig } from '../runtime.ts';

export interface NotifyStores {
  readonly ledger: Ledger;
  readonly queue: NoticeQueue;
  readonly callbackCa: string | undefined;
}

let opened: Promise<NotifyStores> | undefined;

/** Ledger and queue of this execution environment; callbacks need nothing more of a deployment. */
export function notifyStores(): Promise<NotifyStores> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<NotifyStores> {
  const { ledger, notifier = '', callbackCa } = readConfig();
  if (!notifier.startsWith('sqs:')) throw new Fault('configuration', 'the notifier is not a queue');
  return {
    ledger: await openLedger(ledger),
    queue: new NoticeQueue(notifier.slice('sqs:'.length)),
    callbackCa,
  };
}
