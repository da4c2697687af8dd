import { toHex } from '../../codec/bytes.ts';
import { STATUS_CODES } from '../../status-codes.ts';
import type { AnsweredCall, Calls, RefusedCall } from '../api/caller.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { CallCounts } from './call-counts.ts';

const MINUTE_MS = 60_000;
const { subject, reason } = STATUS_CODES.rateExceeded;

/**
 * Takes refused calls into the audit log (I8). Each one of a registered party has its line. Callers that nobody
 * knows, and parties beyond their rate, have one line a minute for each function and code from each process: otherwise
 * they could fill the ledger.
 */
export class CallJournal implements Calls {
  readonly counts: CallCounts;
  readonly #context: Context;
  /** Names of lines written once, and the minute they are of. */
  #told = { minute: 0, names: new Set<string>() };

  constructor(context: Context) {
    this.#context = context;
    this.counts = new CallCounts(context);
  }

  async refused(call: RefusedCall): Promise<void> {
    const { ledger, now, random } = this.#context;
    const { party, subjectCode, reasonCode, functionCallIdentifier } = call;
    const counted = party !== undefined && !(subjectCode === subject && reasonCode === reason);
    const by = party ?? 'nobody known';
    if (!counted && this.#wasTold(`${by} ${call.function} ${subjectCode} ${reasonCode}`)) return;
    const about = {
      function: call.function,
      subjectCode,
      reasonCode,
      call: counted ? functionCallIdentifier : undefined,
    };
    const line = { event: 'call.refused', by, about } as const;
    await ledger.write(auditWrite(line, `refused-${toHex(random(16))}`, now()));
  }

  answered(call: AnsweredCall): void {
    this.counts.add(call);
  }

  #wasTold(name: string): boolean {
    const minute = Math.floor(this.#context.now() / MINUTE_MS);
    if (this.#told.minute !== minute) this.#told = { minute, names: new Set() };
    if (this.#told.names.has(name)) return true;
    this.#told.names.add(name);
    return false;
  }
}
