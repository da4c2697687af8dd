import { refuse } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { Actor } from '../api/actor.ts';
import type { Caller, CallSpent, ClientCertificate, Parties } from '../api/caller.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { requireBegun } from '../dual-control/dual-control.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { type PartyRecord, partyRecord } from '../records/party.ts';
import { type CallRate, CallRateLimiter } from './call-rate.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A party needs some days to have a certificate renewed and registered. */
const ENDING_DAYS = 30;

/** Whether a certificate of the register has ended or ends within 30 days; undefined where it stays. */
export function endingOf(
  { notAfterMs }: Pick<PartyRecord, 'notAfterMs'>,
  atMs: number,
): 'expired' | 'soon' | undefined {
  if (notAfterMs === undefined || notAfterMs - atMs >= ENDING_DAYS * DAY_MS) return undefined;
  return atMs >= notAfterMs + 1000 ? 'expired' : 'soon';
}

const DEFAULT_RATE: CallRate = { perSecond: 50, burst: 200 };
/**
 * What a call may take by being one: at the default rate 20,000 reads and 32 MiB a second, as the limits of the embedded
 * server have it (docs/operators.md). A just-in-time request takes some 20 reads and 20 KiB.
 */
const CALLS_DUE: CallSpent = { reads: 400, octets: 640 * 1024 };
/** Callers that are remembered between their calls. */
const REMEMBERED = 1_000;

/** The party register (I7), and how often each may call. Who is who is never cached: a revocation counts from the next call on. */
export class PartyService implements Parties {
  readonly #context: Context;
  readonly #rates: CallRateLimiter;
  readonly #remembered = new Map<string, Caller>();

  /** `rates` keeps how often each party calls; other than the context's where that may be frozen and is still read. */
  constructor(context: Context, limit: CallRate = DEFAULT_RATE, rates: Ledger = context.ledger) {
    this.#context = context;
    this.#rates = new CallRateLimiter(limit, rates, context.now);
  }

  async identify({ fingerprint, notBeforeMs, notAfterMs }: ClientCertificate): Promise<Caller> {
    const item = await this.#context.ledger.get(ledgerKeys.party(fingerprint));
    this.#remembered.delete(fingerprint);
    if (item === undefined)
      refuse('requesterUnknown', 'the client certificate belongs to no registered party');
    const { identifier, role, revokedAt, suspendedAt, name } = partyRecord.from(item);
    if (revokedAt !== undefined) refuse('requesterNotAllowed', 'the client certificate was revoked');
    if (suspendedAt !== undefined) refuse('requesterNotAllowed', 'the party is suspended');
    const at = this.#context.now();
    if (at >= notAfterMs + 1000 || at < notBeforeMs)
      refuse('requesterNotAllowed', 'the client certificate has expired or is not valid yet');
    await this.#rates.take(identifier);
    const caller: Caller = { identifier, role, fingerprint, ...present({ name }) };
    this.#remembered.set(fingerprint, caller);
    if (this.#remembered.size > REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
    return caller;
  }

  remembered(fingerprint: string): Caller | undefined {
    return this.#remembered.get(fingerprint);
  }

  charge(identifier: string, { reads, octets }: CallSpent): void {
    const calls = Math.max(reads / CALLS_DUE.reads, octets / CALLS_DUE.octets);
    if (calls > 1) this.#rates.charge(identifier, calls - 1);
  }

  /** Registers a certificate; an identifier has one role, whatever its certificates. */
  async add(
    fingerprint: string,
    party: Omit<PartyRecord, 'addedAt' | 'revokedAt'>,
    by: Actor,
  ): Promise<void> {
    const { ledger, now } = this.#context;
    await requireBegun(ledger, { action: 'party.add', subject: fingerprint }, by);
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

  async revoke(fingerprint: string, by: Actor): Promise<void> {
    const { ledger, now } = this.#context;
    await requireBegun(ledger, { action: 'party.revoke', subject: fingerprint }, by);
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

  /** The certificates of a party call no more, until they are resumed; returns how many are suspended now. */
  async suspend(identifier: string, by: Actor): Promise<number> {
    return await this.#each(identifier, 'party.suspended', by, (record, at) =>
      record.suspendedAt === undefined ? { ...record, suspendedAt: at } : undefined,
    );
  }

  /** Certificates of a party that were suspended may call again; returns how many may call now. */
  async resume(identifier: string, by: Actor): Promise<number> {
    return await this.#each(identifier, 'party.resumed', by, ({ suspendedAt, ...record }) =>
      suspendedAt === undefined ? undefined : record,
    );
  }

  /** Changes each certificate of a party that was not revoked; a repeat after a crash changes the rest. */
  async #each(
    identifier: string,
    event: 'party.suspended' | 'party.resumed',
    by: Actor,
    change: (record: PartyRecord, at: number) => PartyRecord | undefined,
  ): Promise<number> {
    const { ledger, now } = this.#context;
    const own = (await this.list()).filter((party) => party.identifier === identifier);
    if (own.length === 0)
      refuse('requestUnknown', 'no party has this identifier', { subjectIdentifier: identifier });
    const valid = own.filter(({ revokedAt }) => revokedAt === undefined);
    for (const { fingerprint } of valid) {
      await changeItem(ledger, ledgerKeys.party(fingerprint), (item) => {
        const at = now();
        const changed = item && change(partyRecord.from(item), at);
        if (item === undefined || changed === undefined) return unchanged();
        const about = { fingerprint, identifier };
        const line = auditWrite({ event, by, about }, `${event}-${fingerprint}-${item.revision}`, at);
        return becomes(partyRecord.to(changed), undefined, [line]);
      });
    }
    return valid.length;
  }

  /**
   * Tells the log of client certificates that end within 30 days or have ended, unless they were revoked or their party
   * has another one that stays.
   */
  async tellEnding(): Promise<void> {
    const { log, now } = this.#context;
    const parties = (await this.list()).filter(({ revokedAt }) => revokedAt === undefined);
    const ending = parties.filter((party) => endingOf(party, now()) !== undefined);
    const staying = new Set(
      parties.filter((party) => !ending.includes(party)).map(({ identifier }) => identifier),
    );
    for (const { identifier, fingerprint, notAfterMs } of ending) {
      if (staying.has(identifier) || notAfterMs === undefined) continue;
      log({
        event: 'alarm.party.certificate',
        party: identifier,
        certificate: fingerprint,
        notAfter: new Date(notAfterMs).toISOString(),
        daysLeft: Math.floor((notAfterMs - now()) / DAY_MS),
      });
    }
  }

  async list(): Promise<(PartyRecord & { fingerprint: string })[]> {
    const parties = await scanAll(this.#context.ledger, partitions.parties);
    return parties.map((item) => ({ fingerprint: item.sort, ...partyRecord.from(item) }));
  }
}
