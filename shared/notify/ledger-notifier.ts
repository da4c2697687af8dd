import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { Fault } from '../errors.ts';
import { messageOf, type OwnText } from '../events/error-record.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { scanPages } from '../ledger/scan.ts';
import { ledgerKeys, partitions } from '../service/records/keys.ts';
import { noticeRecord, parkedNotice } from '../service/records/notice.ts';
import type { Notice, Notifier } from './notifier.ts';

/** Carries one notice; resolves when it was taken (2xx). */
export type Carrier = (notice: Notice) => Promise<void>;

export interface LedgerNotifierOptions {
  readonly ledger: Ledger;
  readonly carry: Carrier;
  readonly now: () => number;
  /** Told of a notice that was not taken and will be posted again. */
  readonly onDelayed?: (notice: Notice, attempts: number, reason: OwnText) => void;
  /** Told of a notice that was given up after all attempts; it stays in the ledger. */
  readonly onParked: (notice: Notice, reason: OwnText) => void;
  /** Milliseconds before the second attempt; doubles up to an hour. */
  readonly retryMs?: number;
  readonly attempts?: number;
  /** Milliseconds between looks for notices that nobody woke us for. */
  readonly pollMs?: number;
}

/** A notice is named by what it tells of and a number: the Operator hears of a profile's states in their order. */
const subjectOf = (id: string) => id.slice(0, id.lastIndexOf('-'));

const HOUR_MS = 3_600_000;
const AT_ONCE = 8;

/**
 * The embedded notifier: notices wait in the ledger, are posted, tried again with growing pauses, and parked where an
 * operator can see them when all attempts are spent. A crash between taking and forgetting a notice posts it twice;
 * its id is its functionCallIdentifier, by which the receiver knows.
 */
export class LedgerNotifier implements Notifier {
  readonly #options: LedgerNotifierOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: LedgerNotifierOptions) {
    this.#options = options;
  }

  wake(): void {
    if (this.#closed) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#round = this.#deliverDue()
      // the ledger is out of reach for now: the next look comes by itself
      .catch(() => this.#options.pollMs ?? 5_000)
      .then((pause) => {
        this.#round = undefined;
        if (this.#closed) return;
        if (this.#again) {
          this.#again = false;
          this.wake();
        } else {
          this.#timer = setTimeout(() => this.wake(), pause);
          this.#timer.unref();
        }
      });
  }

  async flush(): Promise<void> {
    await this.#round;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Milliseconds until there is something to do again. */
  async #deliverDue(): Promise<number> {
    const { ledger, pollMs = 5_000 } = this.#options;
    let pause = pollMs;
    /** Subjects of which a notice must wait, and with it those after it. */
    const held = new Set<string>();
    for await (const notices of scanPages(ledger, partitions.notices)) {
      const subjects = [...Map.groupBy(notices, ({ sort }) => subjectOf(sort))];
      for (let i = 0; i < subjects.length; i += AT_ONCE) {
        const waits = subjects.slice(i, i + AT_ONCE).map(async ([subject, items]) => {
          if (held.has(subject)) return Number.POSITIVE_INFINITY;
          const wait = await this.#deliverInOrder(items);
          if (Number.isFinite(wait)) held.add(subject);
          return wait;
        });
        pause = Math.min(pause, ...(await Promise.all(waits)));
        if (this.#closed) return pause;
      }
    }
    return Math.max(pause, 10);
  }

  /** Milliseconds until the first of them that is still to be taken is due; infinite if none is left. */
  async #deliverInOrder(items: readonly Item[]): Promise<number> {
    for (const item of items) {
      const early = noticeRecord.from(item).dueAt - this.#options.now();
      const wait = early > 0 ? early : await this.#deliver(item);
      if (Number.isFinite(wait)) return wait;
    }
    return Number.POSITIVE_INFINITY;
  }

  async #deliver(item: Item): Promise<number> {
    const { ledger, carry, now, onDelayed, onParked, retryMs = 1_000, attempts: limit = 20 } = this.#options;
    const record = noticeRecord.from(item);
    const notice: Notice = { id: item.sort, url: record.url, body: record.body };
    const when = { revision: item.revision };
    try {
      await carry(notice);
      await ledger.write({ remove: item, when });
      return Number.POSITIVE_INFINITY;
    } catch (error) {
      const reason = messageOf(error);
      const attempts = record.attempts + 1;
      if (attempts >= limit) {
        const attributes = parkedNotice.to({ ...record, attempts, reason, parkedAt: now() });
        await ledger.transact([
          { remove: item, when },
          { put: ledgerKeys.parkedNotice(item.sort), attributes, when: 'absent' },
        ]);
        onParked(notice, reason);
        return Number.POSITIVE_INFINITY;
      }
      onDelayed?.(notice, attempts, reason);
      const wait = Math.min(retryMs * 2 ** (attempts - 1), HOUR_MS);
      await ledger.write({
        put: item,
        attributes: noticeRecord.to({ ...record, attempts, reason, dueAt: now() + wait }),
        when,
      });
      return wait;
    }
  }
}

/** Milliseconds that a callback server may take. */
const TIMEOUT_MS = 20_000;

/** Posts a notice as JSON. `ca` is PEM of a CA that is trusted for callback servers besides the public ones. */
export function httpCarrier(protocolVersion: string, ca?: string): Carrier {
  return ({ url, body }) =>
    new Promise((resolve, reject) => {
      const content = Buffer.from(JSON.stringify(body));
      const secure = url.startsWith('https:');
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        timeout: TIMEOUT_MS,
        headers: {
          'content-type': 'application/json',
          'content-length': content.length,
          'x-admin-protocol': protocolVersion,
        },
        ...(secure && ca !== undefined ? { ca: [ca, ...rootCertificates] } : {}),
      });
      request.on('response', (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve();
        else
          reject(new Fault('notifier', `the callback was answered with HTTP ${status}`, { retryable: true }));
      });
      request.on('timeout', () =>
        request.destroy(new Fault('notifier', 'the callback was not answered in time', { retryable: true })),
      );
      request.on('error', reject);
      request.end(content);
    });
}
