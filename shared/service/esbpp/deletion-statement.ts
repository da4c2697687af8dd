import { createHash } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { Item, ItemKey } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { Caller } from '../api/caller.ts';
import type { DeletionStatement, DeletionStatements } from '../api/esbpp.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import type { Context } from '../context.ts';
import { longTermSignature } from '../keys/long-term.ts';
import { signedByDelivery } from '../keys/signed.ts';
import { euiccRecord, parseItemName } from '../records/euicc.ts';
import { chunkRecord, isBound, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { profileRecord } from '../records/profile.ts';

/** `typ` of the statement. */
export const DELETION_STATEMENT_TYP = 'smdpf-deletion-statement+jws';

/** EIDs that are looked at at once: what they wait for is the ledger. */
const AT_ONCE = 16;

/** A profile that its eUICC has signed to be deleted. */
interface Deletion {
  readonly eid: string;
  readonly iccid: string;
  readonly transactionId: string;
  /** When this server verified the eUICC's notification; an eUICC has no clock. */
  readonly verifiedAt: string;
  /** SHA-256 of the OtherSignedNotification as received, hexadecimal. */
  readonly notificationSha256: string;
}

/**
 * Devices that return to stock (SGP.41 annex A.4): what their eUICCs have signed to be deleted, of the profiles that the
 * caller had bound, signed by the delivery key. A device manufacturer hands it to who buys the devices: it is verified with
 * the public delivery key alone, and each hash with the notification that it is of. It says what was deleted, and nothing
 * of what else an eUICC may hold.
 */
export class DeletionStatementService implements DeletionStatements {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async getDeletionStatement(
    caller: Caller,
    { eids }: { eids: readonly string[] },
  ): Promise<DeletionStatement> {
    const once = [...new Set(eids)];
    const keep = keeper(this.#context);
    const found = await mapConcurrently(once, AT_ONCE, async (eid) => {
      try {
        return await this.#deletionsOf(caller, eid, keep);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { eid, ...itemRefusal(error) };
      }
    });
    const deletions = found.flatMap((one) => (Array.isArray(one) ? (one as Deletion[]) : []));
    const refused = found.flatMap((one) => ('eid' in one ? [one] : []));
    if (deletions.length === 0) return { deletions: 0, refused };
    const payload = {
      iss: this.#context.settings.address,
      iat: Math.floor(this.#context.now() / 1000),
      deviceManufacturer: caller.identifier,
      deletions,
    };
    const statement = await signedByDelivery(this.#context, DELETION_STATEMENT_TYP, payload);
    return {
      statement,
      ...present({ longTermSignature: await longTermSignature(this.#context, utf8(statement)) }),
      deletions: deletions.length,
      refused,
    };
  }

  async #deletionsOf(caller: Caller, eid: string, keep: Keep): Promise<readonly Deletion[]> {
    const item = await this.#context.ledger.get(ledgerKeys.euicc(eid));
    if (item === undefined)
      refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
    const { orders, deviceMakers } = euiccRecord.from(item);
    const deletions: Deletion[] = [];
    let own = deviceMakers.includes(caller.identifier);
    for (const name of Object.values(orders).flat()) {
      const { jobId, index } = parseItemName(name);
      const jobItem = await keep(ledgerKeys.job(jobId));
      const job = jobItem && jobRecord.from(jobItem);
      if (job === undefined || job.party !== caller.identifier) continue;
      own = true;
      const chunkItem = await keep(ledgerKeys.chunk(jobId, Math.floor(index / job.chunkSize)));
      const outcome = chunkItem && chunkRecord.from(chunkItem).outcomes[index % job.chunkSize];
      if (outcome === undefined || !isBound(outcome) || outcome.eid !== eid) continue;
      const profile = await this.#context.ledger.get(ledgerKeys.profile(job.orderId, outcome.position));
      const record = profile && profileRecord.from(profile);
      if (record?.state !== 'Deleted' || record.result === undefined) continue;
      const { iccid, transactionId = '', at, result } = record;
      deletions.push({
        eid,
        iccid,
        transactionId,
        verifiedAt: new Date(at).toISOString(),
        notificationSha256: createHash('sha256').update(result).digest('hex'),
      });
    }
    if (!own) refuse('eidBoundElsewhere', 'the EID is none of the caller', { subjectIdentifier: eid });
    if (deletions.length === 0)
      refuse('profileStateForbids', 'no deletion that this eUICC signed is known', {
        subjectIdentifier: eid,
      });
    return deletions;
  }
}

type Keep = (key: ItemKey) => Promise<Item | undefined>;

/** Jobs and commits do not change: each is read once for a statement. */
function keeper({ ledger }: Context): Keep {
  const kept = new Map<string, Promise<Item | undefined>>();
  return (key) => {
    const name = `${key.partition}\0${key.sort}`;
    const item = kept.get(name) ?? ledger.get(key);
    kept.set(name, item);
    return item;
  };
}
