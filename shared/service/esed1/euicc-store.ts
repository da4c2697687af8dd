import type { Bytes } from '../../codec/bytes.ts';
import type { PublicKey } from '../../crypto/curves.ts';
import type { OneTimeKey, SuiteName } from '../../crypto/suite.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { VerifiedEntry } from '../../euicc/entry-verifier.ts';
import { MAX_KEYS_PER_EUICC } from '../../ifpp-draft1/euicc-data-batch.ts';
import { becomes, changeEach, unchanged } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { ownMember } from '../../own-member.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import { present } from '../../present.ts';
import {
  CERTIFICATE_KEY,
  type EuiccRecord,
  euiccCertificateRecord,
  euiccInfo2Record,
  euiccRecord,
  type KeyOwner,
  keyOwner,
  keyOwnerKey,
  type OneTimeKeyRecord,
} from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import { distributionPoint } from '../records/trust.ts';

/** A verified entry with its place in the batch. */
export interface IndexedEntry extends VerifiedEntry {
  readonly index: number;
}

/** What entries that are stored together have in common. */
export interface EntrySource {
  readonly suite: SuiteName;
  /** SubjectKeyIdentifier of the root, hexadecimal. */
  readonly ciPkId: string;
  /** Hash of the stored EUM chain. */
  readonly eumChain: string;
  /** functionRequesterIdentifiers. */
  readonly deviceMakers: readonly string[];
  /** `replace`: the EUM's own word. `keep`: a device manufacturer's, which takes no EID from another. */
  readonly entitlement: 'replace' | 'keep';
}

/**
 * Stores verified entries; returns those refused. A chain of writes that may stop anywhere and be repeated: first the
 * one-time keys are made known for ever, then the certificates, last the eUICC records that make the keys usable.
 * Entries have different EIDs.
 */
export async function storeEntries(
  ledger: Ledger,
  source: EntrySource,
  entries: readonly IndexedEntry[],
): Promise<Map<IndexedEntry, Refusal>> {
  const refused = new Map<IndexedEntry, Refusal>();
  const rest = () => (refused.size === 0 ? entries : entries.filter((entry) => !refused.has(entry)));
  await storeShared(ledger, entries);
  const taken = await claimKeys(ledger, source, entries, refused);
  const certified = await storeCertificates(ledger, rest(), refused);
  await storeRecords(ledger, source, rest(), { taken, ...certified }, refused);
  return refused;
}

/** What many entries share: EuiccInfo2 and distribution points. */
async function storeShared(ledger: Ledger, entries: readonly VerifiedEntry[]): Promise<void> {
  const infos = new Map(entries.map((entry) => [entry.euiccInfo2Hash, entry.euiccInfo2]));
  const points = new Set(entries.flatMap((entry) => entry.distributionPoints));
  await ledger.writeMany([
    ...[...infos].map(
      ([hash, der]): Write => ({
        put: ledgerKeys.euiccInfo2(hash),
        attributes: euiccInfo2Record.to({ der }),
        when: 'absent',
      }),
    ),
    ...[...points].map(
      (point): Write => ({
        put: ledgerKeys.distributionPoint(point),
        attributes: distributionPoint.to({}),
        when: 'absent',
      }),
    ),
  ]);
}

/**
 * A one-time key belongs to the eUICC that it was first registered for, for ever and over all EUMs (I1), and the key of a
 * certificate is none: of whatever comes first the other is refused. Returns the owners of keys that are taken although
 * their eUICC may be unknown, by the keys' identities.
 */
async function claimKeys(
  ledger: Ledger,
  { suite }: EntrySource,
  entries: readonly IndexedEntry[],
  refused: Map<IndexedEntry, Refusal>,
): Promise<ReadonlyMap<string, KeyOwner>> {
  const taken = new Map<string, KeyOwner>();
  const claims = new Map<string, { entry: IndexedEntry; keyId: string; rest: Bytes | undefined }>();
  for (const entry of entries)
    claims.set(entry.certificateKey, { entry, keyId: CERTIFICATE_KEY, rest: undefined });
  for (const entry of entries) {
    for (const { keyId, otPk } of entry.keys) {
      const identity = otPk.identity();
      // the same key twice before anything is written: the second one loses
      if (claims.has(identity)) refused.set(entry, reused(keyId));
      else claims.set(identity, { entry, keyId, rest: partsOf(otPk).rest });
    }
  }
  // in the order of the index, so that each page of a SQLite file is come to once
  const wanted = [...claims.keys()].sort();
  const outcomes = await ledger.writeMany(
    wanted.map((identity) => {
      const { entry, keyId, rest: otPkRest } = claims.get(identity)!;
      return {
        put: keyOwnerKey(suite, identity),
        attributes: keyOwner.to({ eid: entry.eid, keyId, ...present({ otPkRest }) }),
        when: 'absent',
      };
    }),
  );
  const found = new Map<string, Item | undefined>();
  outcomes.forEach((outcome, i) => {
    if (!outcome.done) found.set(wanted[i]!, outcome.found);
  });
  if (found.size === 0) return taken;
  for (const [identity, { entry, keyId, rest }] of claims) {
    if (!found.has(identity)) continue;
    const item = found.get(identity);
    const owner = item && keyOwner.from(item);
    if (keyId === CERTIFICATE_KEY) {
      if (owner?.keyId !== CERTIFICATE_KEY) refused.set(entry, certifiesOneTimeKey(entry));
    } else if (owner?.eid !== entry.eid || owner.keyId !== keyId) refused.set(entry, reused(keyId));
    // a restored ledger knows of a key that is taken, and not all of its octets
    else if (owner.by !== undefined) taken.set(identity, owner);
    else if (!sameOctets(owner.otPkRest, rest)) refused.set(entry, reused(keyId));
  }
  return taken;
}

const certifiesOneTimeKey = ({ eid }: IndexedEntry) =>
  new Refusal('euiccCertificateInvalid', 'the key of the certificate is known as a one-time key', {
    subjectIdentifier: eid,
  });

/**
 * The certificate of an eUICC, and where it was renewed for the same key the one that is valid longest: the EUM says so by
 * its signature. Another key under the EID is refused. Returns the entries whose EID had no certificate, and those that came
 * with an older one than is stored, whose keys are as good.
 */
async function storeCertificates(
  ledger: Ledger,
  entries: readonly IndexedEntry[],
  refused: Map<IndexedEntry, Refusal>,
): Promise<Certified> {
  const keyOf = ({ eid }: IndexedEntry) => ledgerKeys.euiccCertificate(eid);
  const outcomes = await ledger.writeMany(
    entries.map((entry) => ({
      put: keyOf(entry),
      attributes: euiccCertificateRecord.to({ der: entry.certificate }),
      when: 'absent',
    })),
  );
  const known = entries.filter((_, i) => !outcomes[i]!.done);
  const newcomers = entries.filter((_, i) => outcomes[i]!.done);
  const older = new Set<IndexedEntry>();
  await changeEach(ledger, known, keyOf, (before, entry) => {
    const stored = before && euiccCertificateRecord.from(before).der;
    older.delete(entry);
    if (stored === undefined) return becomes(euiccCertificateRecord.to({ der: entry.certificate }));
    if (sameOctets(stored, entry.certificate)) return unchanged();
    const [was, is] = [decodeCertificate(stored), decodeCertificate(entry.certificate)];
    if (!sameKey(was.publicKey, is.publicKey)) {
      const message = 'the EID is registered with a certificate of another key';
      refused.set(entry, new Refusal('eidDuplicate', message, { subjectIdentifier: entry.eid }));
      return unchanged();
    }
    if (is.notAfterMs > was.notAfterMs) return becomes(euiccCertificateRecord.to({ der: entry.certificate }));
    older.add(entry);
    return unchanged();
  });
  return { newcomers, older };
}

interface Certified {
  readonly newcomers: readonly IndexedEntry[];
  readonly older: ReadonlySet<IndexedEntry>;
}

/** A newcomer has no record, or hardly ever: it is written without a look for one, which the others need. */
async function storeRecords(
  ledger: Ledger,
  source: EntrySource,
  entries: readonly IndexedEntry[],
  found: Certified & { readonly taken: ReadonlyMap<string, KeyOwner> },
  refused: Map<IndexedEntry, Refusal>,
): Promise<void> {
  const { taken, newcomers, older } = found;
  const keyOf = ({ eid }: IndexedEntry) => ledgerKeys.euicc(eid);
  const outcomes = await ledger.writeMany(
    newcomers.map((entry) => ({
      put: keyOf(entry),
      attributes: euiccRecord.to(firstRecord(entry, source, taken)),
      when: 'absent',
    })),
  );
  const created = new Set(newcomers.filter((_, i) => outcomes[i]!.done));
  const others = entries.filter((entry) => !created.has(entry));
  await changeEach(ledger, others, keyOf, (before, entry) => {
    try {
      const certified = older.has(entry) ? 'before' : 'now';
      const merged = merge(before && euiccRecord.from(before), entry, source, { taken, certified });
      return merged === undefined ? unchanged() : becomes(euiccRecord.to(merged));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.set(entry, error);
      return unchanged();
    }
  });
}

/**
 * The record after this entry; undefined if nothing changes. What it says of the certificate and of its chain follows the
 * certificate that is stored: that of this entry (`now`), or one that came before.
 */
function merge(
  before: EuiccRecord | undefined,
  entry: VerifiedEntry,
  source: EntrySource,
  {
    taken,
    certified,
  }: { readonly taken: ReadonlyMap<string, KeyOwner>; readonly certified: 'now' | 'before' },
): EuiccRecord | undefined {
  const { ciPkId, eumChain, deviceMakers, entitlement } = source;
  const { euiccInfo2Hash: euiccInfo2, serialNumber, notAfterMs: notAfter } = entry;
  if (before === undefined) return firstRecord(entry, source, taken);
  requireMayChange(before, entry, source);
  const fresh = freshKeys(before, entry.keys);
  if (before.keys.length + fresh.length > MAX_KEYS_PER_EUICC)
    refuse('tooLarge', `an eUICC has at most ${MAX_KEYS_PER_EUICC} one-time keys`, {
      subjectIdentifier: entry.eid,
    });
  const makers = entitlement === 'replace' ? deviceMakers : before.deviceMakers;
  const renewed =
    certified === 'now' && (before.serialNumber !== serialNumber || before.notAfter !== notAfter);
  if (fresh.length === 0 && !renewed && sameMembers(makers, before.deviceMakers)) return undefined;
  return {
    ...before,
    ...(renewed && { serialNumber, notAfter }),
    ...(certified === 'now' && (renewed || fresh.length > 0) && { eumChain, ciPkId }),
    // data of another kind than was stored: the eUICC's signed word of today counts
    ...(fresh.length > 0 && { euiccInfo2 }),
    deviceMakers: makers,
    keys: [...before.keys, ...fresh.map((key) => keyRecord(key, taken))],
    orders: withClaims(before.orders, fresh, taken),
  };
}

/** The record of an eUICC that was not known. */
function firstRecord(
  entry: VerifiedEntry,
  { suite, ciPkId, eumChain, deviceMakers }: EntrySource,
  taken: ReadonlyMap<string, KeyOwner>,
): EuiccRecord {
  const { euiccInfo2Hash: euiccInfo2, serialNumber, notAfterMs: notAfter } = entry;
  const keys = entry.keys.map((key) => keyRecord(key, taken));
  const orders = withClaims({}, entry.keys, taken);
  return { suite, ciPkId, eumChain, euiccInfo2, serialNumber, notAfter, deviceMakers, keys, orders };
}

/** A one-time key as the record holds it: free, or claimed by what a restored ledger learned of it first. */
function keyRecord(
  { keyId, otPk }: VerifiedEntry['keys'][number],
  taken: ReadonlyMap<string, KeyOwner>,
): OneTimeKeyRecord {
  const by = taken.size === 0 ? undefined : taken.get(otPk.identity())?.by;
  const key = { keyId, otPk: partsOf(otPk).recorded };
  return by === undefined ? { ...key, state: 'free' } : { ...key, state: 'claimed', by };
}

/** The EID's places in orders, with those that the claims of these keys take. */
function withClaims(
  orders: EuiccRecord['orders'],
  keys: VerifiedEntry['keys'],
  taken: ReadonlyMap<string, KeyOwner>,
): EuiccRecord['orders'] {
  if (taken.size === 0) return orders;
  const merged: Record<string, readonly string[]> = { ...orders };
  for (const { otPk } of keys) {
    const { by, orderId } = taken.get(otPk.identity()) ?? {};
    if (by !== undefined && orderId !== undefined)
      merged[orderId] = [...new Set([...(ownMember(merged, orderId) ?? []), by])];
  }
  return merged;
}

/**
 * A revoked eUICC gets no keys, and a device manufacturer's word takes no EID from another. All keys of an eUICC are of
 * one suite: whoever could add keys of a lesser one would bring it down to that.
 */
function requireMayChange(before: EuiccRecord, { eid }: VerifiedEntry, source: EntrySource): void {
  const about = { subjectIdentifier: eid };
  if (before.revokedAt !== undefined)
    refuse('euiccCertificateExpired', 'the eUICC was revoked on this server', about);
  if (source.suite !== before.suite)
    refuse(
      'securityConfiguration',
      `the EID is registered with one-time keys of ${before.suite}, and takes none of ${source.suite}`,
      about,
    );
  const isOthers = !source.deviceMakers.every((maker) => before.deviceMakers.includes(maker));
  if (source.entitlement === 'keep' && isOthers)
    refuse('eidBoundElsewhere', 'the EID is registered for another device manufacturer', about);
}

/** The keys that the record does not have yet; a keyId names one key for ever. */
function freshKeys(before: EuiccRecord, keys: VerifiedEntry['keys']): VerifiedEntry['keys'] {
  return keys.filter(({ keyId, otPk }) => {
    const known = before.keys.find((key) => key.keyId === keyId);
    if (known !== undefined && !sameOctets(known.otPk, partsOf(otPk).recorded))
      refuse('oneTimeKeyInUse', `keyId ${keyId} is registered with another key`, {
        subjectIdentifier: keyId,
      });
    return known === undefined;
  });
}

const reused = (keyId: string) =>
  new Refusal('oneTimeKeyInUse', `one-time key ${keyId} was registered before`, {
    subjectIdentifier: keyId,
  });

const sameKey = (a: PublicKey, b: PublicKey) => a.curve === b.curve && sameOctets(a.point, b.point);

/** What the eUICC's record holds of a one-time key, and what its owner's does. */
function partsOf({ suite, octets }: OneTimeKey): { recorded: Bytes; rest: Bytes | undefined } {
  const { recordedLength } = suite;
  if (octets.length === recordedLength) return { recorded: octets, rest: undefined };
  return { recorded: octets.subarray(0, recordedLength), rest: octets.subarray(recordedLength) };
}

const sameOctets = (a: Bytes | undefined, b: Bytes | undefined) =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
const sameMembers = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one) => b.includes(one));
