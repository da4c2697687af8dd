import { GuardedLedger } from '../../shared/ledger/guarded.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { openLedger } from '../../shared/ledger/open.ts';
import { noPort } from '../../shared/no-port.ts';
import type { NoticeQueue } from '../../shared/notify/sqs.ts';
import { requireIdentity } from '../../shared/service/restore/identity.ts';
import { Standing } from '../../shared/service/restore/standing.ts';
import { StoredForm } from '../../shared/service/upgrade/stored-form.ts';
import type { PpkVault, Vault } from '../../shared/vault/vault.ts';
import { readConfig } from '../runtime.ts';
import { noticeQueue } from './queue.ts';

export interface NotifyStores {
  readonly ledger: Ledger;
  readonly queue: NoticeQueue;
}

let opened: Promise<NotifyStores> | undefined;

/** Ledger and queue of this execution environment; to queue what waits needs nothing more of a deployment. */
export function notifyStores(): Promise<NotifyStores> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<NotifyStores> {
  const config = readConfig();
  const queue = noticeQueue(config);
  const ledger = await openLedger(config.ledger);
  const storedForm = new StoredForm(ledger, Date.now);
  await storedForm.requireKnown();
  await requireIdentity({ ledger }, config);
  const none = { vault: noPort<Vault>('vault'), ppks: noPort<PpkVault>('vault') };
  const standing = new Standing({ ledger, ...none, now: Date.now }, config);
  return {
    ledger: new GuardedLedger(ledger, async () => {
      await standing.requireLive();
      await storedForm.requireKnownAtWork();
    }),
    queue,
  };
}
