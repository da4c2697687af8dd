import { createHash } from 'node:crypto';
import { type Bytes, toHex } from '../codec/bytes.ts';
import { checkEid } from '../codec/eid.ts';
import { fromSpki, suiteByCurveOid } from '../crypto/suite.ts';
import { Fault, Refusal, refuse } from '../errors.ts';
import {
  decodeEuiccDataBatch,
  decodeEuiccEntry,
  type EuiccDataBatch,
  encodeOneTimeKeyTbs,
  MAX_KEYS_PER_EUICC,
} from '../ifpp-draft1/euicc-data-batch.ts';
import type { Write } from '../ledger/ledger.ts';
import { decodeEuiccInfo2 } from '../rsp/euicc-info2.ts';
import type { StatusName } from '../status-codes.ts';
import { auditWrite } from './audit.ts';
import { standings } from './claims.ts';
import type { Context } from './context.ts';
import { storeEumChain } from './eum-chains.ts';
import { type EuiccRecord, euiccRecord, type OneTimeKeyRecord } from './records/euicc.ts';
import { ledgerKeys } from './records/keys.ts';
import type {
  Caller,
  CloseKeysAnswer,
  EuiccDataAnswer,
  Ingest,
  ItemRefusal,
  KeyToClose,
} from './services.ts';
import type { Trust, TrustedEum } from './trust.ts';

/** Entries that are verified and stored together. */
const SLICE = 500;
/** Refusals that an answer lists. */
const LISTED = 1_000;
const ATTEMPTS = 12;

/**
 * eUICC data (DPFF10): path A from an EUM by Esed1, path B from a device manufacturer inside its BppRequest. Entries
 * are accepted or refused one by one. Storing one is a chain of writes that may stop anywhere and be repeated: first
 * its one-time keys are made known for ever, then the certificate, last the eUICC's record that makes them usable.
 */
export class IngestService implements Ingest {
  readonly #context: Context;
  readonly #trust: Trust;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
  }

  async registerEuiccData(caller: Caller, der: Bytes): Promise<EuiccDataAnswer> {
    const { ledger, now } = this.#context;
    const batch = decodeEuiccDataBatch(der);
    const bodyHash = sha256(der);
    const key = ledgerKeys.euiccBatch(caller.identifier, batch.batchId);
    const known = await ledger.get(key);
    if (known !== undefined) {
      if (known.attributes.bodyHash !== bodyHash) {
        refuse('requestChanged', 'the batchId was used before with another content', {
          subjectIdentifier: batch.batchId,
        });
      }
      return known.attributes.answer as unknown as EuiccDataAnswer;
    }
    const eum = await this.#trustedEum(batch);
    if (eum.record.party !== caller.identifier) {
      refuse('requesterNotAllowed', 'the caller does not speak for this EUM', {
        subjectIdentifier: eum.verified.eumKeyId,
      });
    }
    if (batch.deviceManufacturers === undefined || batch.deviceManufacturers.length === 0) {
      refuse('mandatoryElementMissing', 'deviceManufacturers is needed on Esed1: who may bind these eUICCs?');
    }
    const result = await this.store(batch, eum, batch.deviceManufacturers, 'replace');
    const answer: EuiccDataAnswer = {
      batchId: batch.batchId,
      state: 'Done',
      accepted: batch.entries.length - result.length,
      rejected: result.slice(0, LISTED),
      rejectedCount: result.length,
    };
    await ledger.transact([
      { put: key, attributes: { bodyHash, answer: answer as never }, when: 'absent' },
      auditWrite(
        {
          event: 'euiccData.registered',
          by: caller.identifier,
          about: { batch: batch.batchId, accepted: answer.accepted, rejected: result.length, body: bodyHash },
        },
        `euicc-batch-${caller.identifier}-${batch.batchId}`,
        now(),
      ),
    ]);
    return answer;
  }

  /**
   * Path B: the data came with a request of this device manufacturer. Its word alone entitles itself, and only to
   * EIDs that nobody else was entitled to before; a list that the EUM signed counts as the EUM's own.
   */
  async acceptForwarded(caller: Caller, der: Bytes): Promise<EuiccDataAnswer['rejected']> {
    const batch = decodeEuiccDataBatch(der);
    const eum = await this.#trustedEum(batch);
    const signedList = this.#signedByEum(batch, eum) ? batch.deviceManufacturers : undefined;
    if (signedList !== undefined && !signedList.includes(caller.identifier)) {
      refuse('eidBoundElsewhere', 'the EUM has named other device manufacturers for these eUICCs');
    }
    return await this.store(
      batch,
      eum,
      signedList ?? [caller.identifier],
      signedList === undefined ? 'keep' : 'replace',
    );
  }

  async #trustedEum(batch: EuiccDataBatch): Promise<TrustedEum> {
    const view = await this.#trust.current();
    const eum = view.verifyEum(batch.eumChain, batch.ciPkId);
    if (suiteByCurveOid(batch.curve) !== eum.verified.suite) {
      refuse('securityConfiguration', 'the curve of the batch is not the curve of its EUM chain');
    }
    return eum;
  }

  #signedByEum(batch: EuiccDataBatch, eum: TrustedEum): boolean {
    if (batch.eumDataSignature === undefined) return false;
    if (eum.record.dataKey === undefined)
      refuse('eumNotAllowed', 'the EUM has no registered key for signing its batches');
    const key = fromSpki(eum.record.dataKey);
    if (!key.suite.signatureHolds(key, batch.signed, batch.eumDataSignature)) {
      refuse('eumCertificateInvalid', 'the EUM data signature does not verify');
    }
    return true;
  }

  /** Verifies and stores the entries; returns those refused. */
  async store(
    batch: EuiccDataBatch,
    eum: TrustedEum,
    deviceMakers: readonly string[],
    entitlement: 'replace' | 'keep',
  ): Promise<EuiccDataAnswer['rejected']> {
    decodeEuiccInfo2(batch.euiccInfo2);
    const chainHash = await storeEumChain(this.#context.ledger, batch.eumChain, batch.ciPkId);

    const rejected: EuiccDataAnswer['rejected'][number][] = [];
    const seen = new Set<string>();
    for (let start = 0; start < batch.entries.length; start += SLICE) {
      const verified: VerifiedEntry[] = [];
      for (const [i, element] of batch.entries.slice(start, start + SLICE).entries()) {
        const index = start + i;
        let eid = '';
        try {
          const entry = decodeEuiccEntry(element);
          eid = entry.eid;
          if (seen.has(eid))
            refuse('eidDuplicate', 'the EID occurs twice in the batch', { subjectIdentifier: eid });
          verified.push({ index, ...verifyEntry(entry, batch, eum, chainHash) });
          seen.add(eid);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          rejected.push({ index, eid, ...itemRefusal(error) });
        }
      }
      for (const refused of await this.#storeSlice(verified, deviceMakers, entitlement))
        rejected.push(refused);
    }
    return rejected.sort((a, b) => a.index - b.index);
  }

  async #storeSlice(
    entries: readonly VerifiedEntry[],
    deviceMakers: readonly string[],
    entitlement: 'replace' | 'keep',
  ): Promise<EuiccDataAnswer['rejected']> {
    const { ledger } = this.#context;
    const refused = new Map<VerifiedEntry, Refusal>();
    const infos = new Map(entries.map((entry) => [entry.record.euiccInfo2, entry.euiccInfo2]));
    await ledger.writeMany(
      [...infos].map(([hash, der]) => ({
        put: ledgerKeys.euiccInfo2(hash),
        attributes: { der },
        when: 'absent',
      })),
    );

    const owners = entries.flatMap((entry) =>
      entry.record.keys.map((key) => ({ entry, key, owner: { eid: entry.eid, keyId: key.keyId } })),
    );
    const distinct = new Map(owners.map((one) => [oneTimeKeyName(one.entry.record, one.key), one]));
    for (const one of owners) {
      // the same point twice within the slice: the second one loses, before anything is written
      if (distinct.get(oneTimeKeyName(one.entry.record, one.key)) !== one)
        refused.set(one.entry, reused(one.key));
    }
    const claims = [...distinct.values()];
    const known = await ledger.writeMany(
      claims.map(({ entry, key, owner }) => ({
        put: ledgerKeys.oneTimeKey(entry.record.suite, xCoordinate(key)),
        attributes: owner,
        when: 'absent',
      })),
    );
    for (const [i, outcome] of known.entries()) {
      const { entry, key, owner } = claims[i]!;
      const holder = outcome.done ? owner : outcome.found?.attributes;
      if (holder?.eid !== owner.eid || holder?.keyId !== owner.keyId) refused.set(entry, reused(key));
    }

    const good = entries.filter((entry) => !refused.has(entry));
    const certificates = await ledger.writeMany(
      good.map(({ eid, certificate }) => ({
        put: ledgerKeys.euiccCertificate(eid),
        attributes: { der: certificate },
        when: 'absent',
      })),
    );
    for (const [i, outcome] of certificates.entries()) {
      const entry = good[i]!;
      if (!outcome.done && !sameOctets(outcome.found?.attributes.der as Bytes, entry.certificate)) {
        refused.set(
          entry,
          new Refusal('eidDuplicate', 'the EID is registered with another certificate', {
            subjectIdentifier: entry.eid,
          }),
        );
      }
    }

    await this.#storeRecords(
      good.filter((entry) => !refused.has(entry)),
      deviceMakers,
      entitlement,
      refused,
    );
    return [...refused].map(([{ index, eid }, refusal]) => ({ index, eid, ...itemRefusal(refusal) }));
  }

  async #storeRecords(
    entries: readonly VerifiedEntry[],
    deviceMakers: readonly string[],
    entitlement: 'replace' | 'keep',
    refused: Map<VerifiedEntry, Refusal>,
  ): Promise<void> {
    const { ledger } = this.#context;
    let waiting = entries;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === ATTEMPTS)
        throw new Fault('ledger', 'eUICC records change too fast to be stored', { retryable: true });
      const stored = await ledger.getMany(waiting.map(({ eid }) => ledgerKeys.euicc(eid)));
      const pending: VerifiedEntry[] = [];
      const writes: Write[] = [];
      for (const [i, entry] of waiting.entries()) {
        const before = stored[i];
        try {
          const merged = merge(before && euiccRecord.from(before), entry.record, deviceMakers, entitlement);
          if (merged === undefined) continue;
          writes.push({
            put: ledgerKeys.euicc(entry.eid),
            attributes: euiccRecord.to(merged),
            when: before === undefined ? 'absent' : { revision: before.revision },
          });
          pending.push(entry);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          refused.set(entry, error);
        }
      }
      const outcomes = await ledger.writeMany(writes);
      waiting = pending.filter((_, i) => !outcomes[i]!.done);
    }
  }

  async closeKeys(caller: Caller, items: readonly KeyToClose[]): Promise<CloseKeysAnswer> {
    let closed = 0;
    const bound: { eid: string; keyId: string }[] = [];
    const refused: CloseKeysAnswer['refused'][number][] = [];
    for (const item of items) {
      try {
        const result = await this.#closeOne(caller, item);
        closed += result.closed;
        bound.push(...result.bound.map((keyId) => ({ eid: item.eid, keyId })));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refused.push({ ...item, ...itemRefusal(error) });
      }
    }
    return { closed, bound, refused };
  }

  async #closeOne(caller: Caller, { eid, keyId }: KeyToClose): Promise<{ closed: number; bound: string[] }> {
    const { ledger, now } = this.#context;
    checkEid(eid);
    for (;;) {
      const item = await ledger.get(ledgerKeys.euicc(eid));
      if (item === undefined)
        refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
      const euicc = euiccRecord.from(item);
      await this.#requireMayClose(caller, euicc, eid);
      const wanted = euicc.keys.filter((key) => keyId === undefined || key.keyId === keyId);
      if (keyId !== undefined && wanted.length === 0)
        refuse('oneTimeKeyUnknown', `the eUICC has no one-time key ${keyId}`);
      const standingOf = standings(this.#context);
      const bound: string[] = [];
      const closing = new Set<string>();
      for (const key of wanted) {
        const taken = key.state === 'claimed' && (await standingOf(key.by!)) !== 'refused';
        if (taken) bound.push(key.keyId);
        else if (key.state !== 'closed') closing.add(key.keyId);
      }
      // a key that is closed already counts as closed by this call too: a repeat is answered alike
      const count = wanted.length - bound.length;
      if (closing.size === 0) return { closed: count, bound };
      const keys = euicc.keys.map(
        ({ by: _, ...key }, i): OneTimeKeyRecord =>
          closing.has(key.keyId) ? { ...key, state: 'closed' } : euicc.keys[i]!,
      );
      const { done } = await ledger.transact([
        { put: item, attributes: euiccRecord.to({ ...euicc, keys }), when: { revision: item.revision } },
        auditWrite(
          { event: 'keys.closed', by: caller.identifier, about: { eid, keys: [...closing].join(' ') } },
          `close-${eid}-${item.revision}`,
          now(),
        ),
      ]);
      if (done) return { closed: count, bound };
    }
  }

  async #requireMayClose(caller: Caller, euicc: EuiccRecord, eid: string): Promise<void> {
    const entitled =
      caller.role === 'deviceMaker'
        ? euicc.deviceMakers.includes(caller.identifier)
        : (await (await this.#trust.current()).eumOf(euicc.eumChain, Buffer.from(euicc.ciPkId, 'hex'))).record
            .party === caller.identifier;
    if (!entitled)
      refuse('eidBoundElsewhere', 'the caller is not entitled to this EID', { subjectIdentifier: eid });
  }
}

interface VerifiedEntry {
  readonly index: number;
  readonly eid: string;
  readonly certificate: Bytes;
  readonly euiccInfo2: Bytes;
  readonly record: EuiccRecord;
}

/** Certificate, EID limits, keys and proofs of one entry (spec: SGP.41 DPFF10, GENS07, GENS12). */
function verifyEntry(
  entry: ReturnType<typeof decodeEuiccEntry>,
  batch: EuiccDataBatch,
  { verified }: TrustedEum,
  eumChain: string,
): Omit<VerifiedEntry, 'index'> {
  const { eid, euiccCert, oneTimeKeys } = entry;
  const { certificate, publicKey } = verified.verifyEuicc(euiccCert, eid);
  const euiccInfo2 = entry.euiccInfo2 ?? batch.euiccInfo2;
  const info = decodeEuiccInfo2(euiccInfo2);
  const infoHash = createHash('sha256').update(euiccInfo2).digest();
  const root = toHex(batch.ciPkId);
  const signing = [...info.euiccCiPKIdListForSigning, ...info.euiccCiPKIdListForSigningV3];
  if (!signing.some((id) => toHex(id) === root)) {
    refuse('euiccInfoInvalid', 'the root of the eUICC chain is not in euiccCiPKIdListForSigning', {
      subjectIdentifier: eid,
    });
  }
  if (oneTimeKeys.length === 0)
    refuse('mandatoryElementMissing', 'the entry has no one-time key', { subjectIdentifier: eid });
  const ids = new Set<string>();
  const keys = oneTimeKeys.map((key): OneTimeKeyRecord => {
    if (ids.has(key.keyId))
      refuse('oneTimeKeyInUse', `keyId ${key.keyId} occurs twice`, { subjectIdentifier: eid });
    ids.add(key.keyId);
    verified.suite.publicKey(key.otPk);
    if (!verified.suite.signatureHolds(publicKey, encodeOneTimeKeyTbs(eid, key, infoHash), key.proof)) {
      refuse('oneTimeKeyProofInvalid', `the proof of one-time key ${key.keyId} does not verify`, {
        subjectIdentifier: eid,
      });
    }
    return { keyId: key.keyId, otPk: Uint8Array.from(key.otPk), state: 'free' };
  });
  return {
    eid,
    certificate: euiccCert,
    euiccInfo2,
    record: {
      suite: verified.suite.name,
      ciPkId: root,
      eumChain,
      euiccInfo2: toHex(infoHash),
      serialNumber: certificate.serialNumber,
      notAfter: certificate.notAfterMs,
      deviceMakers: [],
      keys,
      orders: {},
    },
  };
}

/** The record after this entry; undefined if nothing changes. */
function merge(
  before: EuiccRecord | undefined,
  entry: EuiccRecord,
  deviceMakers: readonly string[],
  entitlement: 'replace' | 'keep',
): EuiccRecord | undefined {
  if (before === undefined) return { ...entry, deviceMakers };
  if (entitlement === 'keep' && !deviceMakers.every((maker) => before.deviceMakers.includes(maker))) {
    refuse('eidBoundElsewhere', 'the EID is registered for another device manufacturer');
  }
  const fresh: OneTimeKeyRecord[] = [];
  for (const key of entry.keys) {
    const known = before.keys.find(({ keyId }) => keyId === key.keyId);
    if (known === undefined) fresh.push(key);
    else if (!sameOctets(known.otPk, key.otPk))
      refuse('oneTimeKeyInUse', `keyId ${key.keyId} is registered with another key`);
  }
  if (before.keys.length + fresh.length > MAX_KEYS_PER_EUICC) {
    refuse('tooLarge', `an eUICC has at most ${MAX_KEYS_PER_EUICC} one-time keys`);
  }
  const makers = entitlement === 'replace' ? deviceMakers : before.deviceMakers;
  // data of another kind than was stored: the eUICC's signed word of today counts
  const { euiccInfo2, eumChain, ciPkId } = fresh.length > 0 ? entry : before;
  const unchanged = fresh.length === 0 && sameMembers(makers, before.deviceMakers);
  return unchanged
    ? undefined
    : { ...before, euiccInfo2, eumChain, ciPkId, deviceMakers: makers, keys: [...before.keys, ...fresh] };
}

/** X of 04 ‖ X ‖ Y: a point and its negative agree to the same secret, so they count as one key. */
const xCoordinate = ({ otPk }: OneTimeKeyRecord) => toHex(otPk.subarray(1, 33));
const oneTimeKeyName = ({ suite }: EuiccRecord, key: OneTimeKeyRecord) => `${suite}#${xCoordinate(key)}`;

const reused = ({ keyId }: OneTimeKeyRecord) =>
  new Refusal('oneTimeKeyInUse', `the point of one-time key ${keyId} was registered before`);

const sameOctets = (a: Bytes | undefined, b: Bytes) => a !== undefined && Buffer.compare(a, b) === 0;
const sameMembers = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one) => b.includes(one));
const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

export function itemRefusal(refusal: Refusal): ItemRefusal & { readonly code: StatusName } {
  return {
    code: refusal.code,
    subjectCode: refusal.subjectCode,
    reasonCode: refusal.reasonCode,
    message: refusal.message,
  };
}
