import { sweepOutbox } from '../../shared/notify/outbox.ts';
import { backgroundEntry } from '../background.ts';
import { notifyStores } from './stores.ts';

/** On a schedule: queues the notices that wait in the ledger. */
export const handler = backgroundEntry(
  'notify.sweep',
  async (_event: unknown) => {
    const { ledger, queue } = await notifyStores();
    return { queued: await sweepOutbox(ledger, (calls) => queue.send(calls), Date.now) };
  },
  { outcome: ({ queued }) => ({ queued }) },
);
