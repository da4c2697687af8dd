import { refuse } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Caller, Parties } from '../api/caller.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { type PartyRecord, partyRecord } from '../records/party.ts';
import { type CallRate, CallRateLimiter } from './call-rate.ts';

const DEFAULT_RATE: CallRate = { perSecond: 50, burst: 200 };

/** The party register (I7), and how often each may call. Who is who is never cached: a revocation counts from the next call on. */
export class PartyService implements Parties {
  readonly #context: Context;
  readonly #rates: CallRateLimiter;

  /** `rates` keeps how often each party calls; other than the context's where that may be frozen and is still read. */
  constructor(context: Context, limit: CallRate = DEFAULT_RATE, rates: Ledger = context.ledger) {
    this.#context = context;
    this.#rates = new CallRateLimiter(limit, rates, context.now);
  }

  async identify(fingerprint: string): Promise<Caller> {
    const item = await this.#context.ledger.get(ledgerKeys.party(fingerprint));
    if (item === undefined)
      refuse('requesterUnknown', 'the client certificate belongs to no registered party');
    const { identifier, role, revokedAt } = partyRecord.from(item);
    if (revokedAt !== undefined) refuse('requesterNotAllowed', 'the client certificate was revoked');
    await this.#rates.take(identifier);
    return { identifier, role, fingerprint };
  }

  /** Registers a certificate; an identifier has one role, whatever its certificates. */
  async add(
    fingerprint: string,
    party: Omit<PartyRecord, 'addedAt' | 'revokedAt'>,
    by: string,
  ): Promise<void> {
    const { ledger, now } = this.#context;
    for (const known of await this.list()) {
      if (known.identifier === party.identifier && known.role !== party.role) {
        refuse('requesterNotAllowed', `${party.identifier} is registered as ${known.role}`);
      }
    }
    const record: PartyRecord = { ...party, addedAt: now() };
    const { identifier, role, name } = party;
    const outcome = await ledger.transact([
      { put: ledgerKeys.party(fingerprint), attributes: partyRecord.to(record), when: 'absent' },
      auditWrite(
        { event: 'party.added', by, about: { fingerprint, identifier, role, name } },
        `party-${fingerprint}`,
        now(),
      ),
    ]);
    if (outcome.done) return;
    const found = await ledger.get(ledgerKeys.party(fingerprint));
    const known = found && partyRecord.from(found);
    if (
      known?.identifier !== party.identifier ||
      known.role !== party.role ||
      known.revokedAt !== undefined
    ) {
      refuse('requesterNotAllowed', 'the certificate is registered otherwise, or was revoked');
    }
  }

  async revoke(fingerprint: string, by: string): Promise<void> {
    const { ledger, now } = this.#context;
    await changeItem(ledger, ledgerKeys.party(fingerprint), (item) => {
      if (item === undefined) refuse('requesterUnknown', 'the certificate belongs to no registered party');
      const record = partyRecord.from(item);
      if (record.revokedAt !== undefined) return unchanged();
      return becomes(partyRecord.to({ ...record, revokedAt: now() }), undefined, [
        auditWrite(
          { event: 'party.revoked', by, about: { fingerprint } },
          `party-revoked-${fingerprint}`,
          now(),
        ),
      ]);
    });
  }

  async list(): Promise<(PartyRecord & { fingerprint: string })[]> {
    const parties = await scanAll(this.#context.ledger, partitions.parties);
    return parties.map((item) => ({ fingerprint: item.sort, ...partyRecord.from(item) }));
  }
}
