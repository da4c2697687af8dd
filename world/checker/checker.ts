import type { Bytes } from '../../shared/codec/bytes.ts';
import { AuditChain, requireLine, tellsOf } from './audit-chain.ts';
import { type AnsweredItem, itemsOf, protectedProfile } from './batch.ts';
import { boundIn, isRecord, type RawBound, type RawItem, type RawWrite, textOf, textsIn } from './raw.ts';
import { demand } from './violation.ts';

/** What is looked at in the stores themselves. */
export interface Seen {
  ppk(pack: string, place: number): Bytes | undefined;
}

interface Commit extends RawBound {
  readonly party: string;
  readonly orderId: string;
}

interface Answered {
  /** The bound item as it went out first, by its itemId. */
  readonly bound: Map<number, AnsweredItem>;
  readonly refused: Map<number, string>;
}

/**
 * The model of a world and its rules (docs/invariants.md). It sees every write that takes effect and every answer that
 * goes out, has its own reading of both, and knows what the parties did; it shares no code with the server.
 */
export class Checker {
  readonly audit = new AuditChain();
  /** Checks that were made, by rule. */
  readonly checks = new Map<string, number>();
  /** While a restore writes, it takes on what others had committed and told of. */
  restoring = false;
  readonly #seen: Seen;
  readonly #marks: readonly Buffer[];
  readonly #secrets: readonly Buffer[];
  readonly #jobs = new Map<string, { party: string; orderId: string }>();
  readonly #commits = new Map<string, Commit>();
  readonly #oneTimeKeys = new Map<string, string>();
  /** Names of the PPKs that the packs of an order had, by its partition. */
  readonly #ppksOf = new Map<string, Set<string>>();
  readonly #places = new Map<string, { ppks: string; place: number }>();
  readonly #packs = new Map<string, Buffer>();
  readonly #locked = new Set<string>();
  readonly #answers = new Map<string, Answered>();
  readonly #entitled = new Map<string, Set<string>>();
  readonly #shares = new Map<string, { readonly most: number; drawn: number }>();
  /** Orders and EIDs for which a replacement was set aside. */
  readonly #kept = new Set<string>();
  readonly #ended = new Set<string>();
  /** Calls that were told that something was taken away: trust, an order, a certificate. */
  takings = 0;
  /** EIDs of which trust was withdrawn for certain, and those of which it may have been. */
  readonly withdrawn = new Set<string>();
  readonly maybeWithdrawn = new Set<string>();

  /** `marks`: octets of clear profiles; `secrets`: keys that were drawn last. */
  constructor(seen: Seen, marks: readonly Bytes[], secrets: readonly Buffer[]) {
    this.#seen = seen;
    this.#marks = marks.map((mark) => Buffer.from(mark));
    this.#secrets = secrets;
  }

  // what the parties do

  entitle(eid: string, makers: readonly string[]): void {
    const known = this.#entitled.get(eid) ?? new Set<string>();
    for (const maker of makers) known.add(maker);
    this.#entitled.set(eid, known);
  }

  /** How many profiles of the order the device manufacturer may draw. */
  share(orderId: string, maker: string, most: number): void {
    this.#shares.set(`${orderId} ${maker}`, { most, drawn: 0 });
  }

  /** The order has ended, and its Operator knows. */
  ended(orderId: string): void {
    this.#ended.add(orderId);
    this.takings += 1;
  }

  /** Nobody knows any more which orders had ended. */
  forgetEnded(): void {
    this.#ended.clear();
  }

  eidOf(iccid: string): string | undefined {
    return this.#commits.get(iccid)?.eid;
  }

  /** Whether anything went out as the answer to this request. */
  knows(party: string, requestId: string): boolean {
    return this.#answers.has(`${party} ${requestId}`);
  }

  get committed(): number {
    return this.#commits.size;
  }

  // what the stores take

  /** `now`: milliseconds since 1970. */
  wrote(writes: readonly RawWrite[], now: number): void {
    for (const write of writes)
      if ('put' in write) {
        const { partition, sort } = write.put;
        this.#learn(partition, write.attributes);
        const kept = /^tie#([0-9]+)/.exec(sort)?.[1];
        if (kept !== undefined) this.#kept.add(`${partition} ${kept}`);
      }
    let commits = 0;
    for (const write of writes)
      if ('put' in write)
        for (const bound of boundIn(write.attributes)) {
          this.#commit(write.put.partition, bound);
          commits += 1;
        }
    // a restore takes lines back from the archive, and drops those that wait and are in it
    if (this.restoring) this.audit.forget();
    else {
      this.audit.saw(writes, now);
      this.#count('I8', 1);
      requireLine(writes);
      if (commits > 0)
        demand(tellsOf(writes), 'I8', () => 'a chunk was committed without a line of the audit log');
    }
  }

  stored(name: string, octets: Bytes, locked: boolean): void {
    this.#searchClear(name, octets);
    if (/^orders\/[^/]*\/packs\//.test(name)) this.#packs.set(name, Buffer.from(octets));
    if (!locked || !name.startsWith('commits/')) return;
    const record: unknown = JSON.parse(Buffer.from(octets).toString());
    if (isRecord(record)) for (const { iccid } of boundIn(record)) this.#locked.add(iccid);
  }

  sealed(pack: string, entries: readonly Bytes[]): void {
    for (const entry of entries) this.#searchSecrets(`PPKs ${pack}`, entry);
  }

  // what goes out

  /** An answer to a device manufacturer; `withdrawn` tells of which EIDs trust was withdrawn through the whole call. */
  answered(
    party: string,
    requestId: string,
    bppBatch: Bytes,
    withdrawn: (eid: string) => boolean,
  ): AnsweredItem[] {
    const name = `${party} ${requestId}`;
    const known = this.#answers.get(name) ?? { bound: new Map(), refused: new Map() };
    this.#answers.set(name, known);
    const items = itemsOf(bppBatch);
    for (const item of items) {
      if (item.bound === undefined) this.#refusedItem(name, item, known);
      else this.#boundItem(party, item, item.bound, known, withdrawn);
    }
    return items;
  }

  /** At rest, with nothing under way and everything reaped that was due (I5, I10). */
  settled(items: Iterable<RawItem>, objects: readonly string[], packs: readonly string[]): void {
    const named = new Set<string>();
    const there = new Set(packs);
    for (const item of items) {
      if (!item.partition.startsWith('traces#')) for (const text of textsIn(item.attributes)) named.add(text);
      if (item.sort === 'state' && ENDED.includes(textOf(item.attributes.state)))
        for (const ppks of this.#ppksOf.get(item.partition) ?? [])
          demand(!there.has(ppks), 'I5', () => `${item.partition} has ended, and its PPKs ${ppks} are there`);
    }
    const left = (names: readonly string[], kept: readonly RegExp[]) =>
      names.filter((one) => !named.has(one) && !kept.some((pattern) => pattern.test(one)));
    const objectsLeft = left(objects, KEPT_OBJECTS);
    this.#count('I10', objects.length + packs.length);
    demand(
      objectsLeft.length === 0,
      'I10',
      () => `objects that nothing names: ${objectsLeft.slice(0, 3).join(', ')}`,
    );
    const packsLeft = left(packs, KEPT_PACKS);
    demand(
      packsLeft.length === 0,
      'I10',
      () => `PPKs that nothing names: ${packsLeft.slice(0, 3).join(', ')}`,
    );
    for (const [iccid, { ppks, place }] of this.#places)
      if (this.#locked.has(iccid))
        demand(this.#seen.ppk(ppks, place) === undefined, 'I5', () => `the PPK of bound ${iccid} is there`);
    for (const iccid of this.#commits.keys()) {
      this.#count('I9', 1);
      demand(this.#locked.has(iccid), 'I9', () => `${iccid} is bound and in no locked record`);
    }
  }

  #learn(partition: string, attributes: Readonly<Record<string, unknown>>): void {
    const { party, orderId, ppks, iccids } = attributes;
    if (partition.startsWith('job#') && typeof party === 'string' && typeof orderId === 'string')
      this.#jobs.set(partition, { party, orderId });
    if (partition.startsWith('order#') && typeof ppks === 'string' && Array.isArray(iccids)) {
      for (const [place, iccid] of iccids.entries()) this.#places.set(textOf(iccid), { ppks, place });
      // packs are spread over partitions that begin as that of their order
      const ofOrder = partition.split('#', 2).join('#');
      this.#ppksOf.set(ofOrder, (this.#ppksOf.get(ofOrder) ?? new Set()).add(ppks));
    }
  }

  #commit(partition: string, bound: RawBound): void {
    const { eid, keyId, iccid, otpk } = bound;
    // chunks are spread over partitions that begin as that of their job
    const ofJob = partition.split('#', 2).join('#');
    const job = this.#jobs.get(ofJob) ?? { party: '', orderId: '' };
    const before = this.#commits.get(iccid);
    this.#count('I1', 1);
    this.#count('I2', 1);
    demand(
      before === undefined || before.eid === eid,
      'I2',
      () => `${iccid} goes to ${eid} and to ${before?.eid}`,
    );
    demand(before === undefined || before.keyId === keyId, 'I2', () => `${iccid} is bound twice`);
    for (const key of [`${eid} ${keyId}`, otpk]) {
      const holder = this.#oneTimeKeys.get(key);
      demand(
        holder === undefined || holder === iccid,
        'I1',
        () => `key ${key} is bound to ${holder} and ${iccid}`,
      );
      this.#oneTimeKeys.set(key, iccid);
    }
    if (before !== undefined) return;
    this.#commits.set(iccid, { ...bound, ...job });
    const share = this.#shares.get(`${job.orderId} ${job.party}`);
    // a replacement comes beside the share
    if (share !== undefined && !this.#kept.has(`order#${job.orderId} ${eid}`)) {
      share.drawn += 1;
      demand(
        share.drawn <= share.most,
        'I7',
        () => `${job.party} drew more of ${job.orderId} than its share`,
      );
    }
    if (this.restoring) return;
    this.#count('I6', 1);
    this.#count('I7', 1);
    demand(!this.withdrawn.has(eid), 'I6', () => `${eid} was bound after trust was withdrawn from it`);
    demand(
      !this.#ended.has(job.orderId),
      'I6',
      () => `order ${job.orderId} was drawn from after it had ended`,
    );
    demand(
      this.#entitled.get(eid)?.has(job.party) === true,
      'I7',
      () => `${job.party} had ${eid} bound, which it is not entitled to`,
    );
  }

  #boundItem(
    party: string,
    item: AnsweredItem,
    bound: NonNullable<AnsweredItem['bound']>,
    known: Answered,
    withdrawn: (eid: string) => boolean,
  ): void {
    const { iccid, keyId } = bound;
    const { eid } = item;
    const commit = this.#commits.get(iccid);
    this.#count('I3', 1);
    demand(
      commit?.eid === eid && commit.keyId === keyId,
      'I3',
      () => `${iccid} went out and is not committed`,
    );
    demand(this.#locked.has(iccid), 'I3', () => `${iccid} went out before its locked record was written`);
    demand(
      commit.party === party || commit.party === '',
      'I7',
      () => `${party} got ${iccid} of ${commit.party}`,
    );
    demand(!withdrawn(eid), 'I6', () => `${iccid} went out to ${eid}, from which trust was withdrawn`);
    const place = this.#places.get(iccid);
    this.#count('I5', 1);
    if (place !== undefined)
      demand(
        this.#seen.ppk(place.ppks, place.place) === undefined,
        'I5',
        () => `the PPK of ${iccid} is there`,
      );
    const first = known.bound.get(item.itemId);
    this.#count('I4', 1);
    demand(
      !known.refused.has(item.itemId) || this.maybeWithdrawn.has(eid),
      'I4',
      () => `item ${item.itemId} was refused and is bound now`,
    );
    if (first === undefined) {
      known.bound.set(item.itemId, item);
      this.#genuine(iccid, bound.bpp);
      return;
    }
    const same =
      first.bound?.iccid === iccid &&
      first.bound.keyId === keyId &&
      Buffer.compare(first.bound.bpp, bound.bpp) === 0;
    demand(same, 'I4', () => `item ${item.itemId} went out otherwise before`);
  }

  #refusedItem(name: string, { itemId, eid, failed }: AnsweredItem, known: Answered): void {
    this.#count('I4', 1);
    if (!known.bound.has(itemId)) known.refused.set(itemId, eid);
    else
      demand(
        this.maybeWithdrawn.has(eid),
        'I4',
        () => `item ${itemId} of ${name} of ${eid} went out bound before, and is refused now: ${failed}`,
      );
  }

  /** What a BPP carries is a profile as it was packed, octet by octet (I11). */
  #genuine(iccid: string, bpp: Bytes): void {
    this.#count('I11', 1);
    const profile = Buffer.from(protectedProfile(bpp));
    const found = profile.length > 0 && [...this.#packs.values()].some((pack) => pack.includes(profile));
    demand(found, 'I11', () => `the BPP of ${iccid} carries a profile that was never packed`);
  }

  #searchClear(name: string, octets: Bytes): void {
    this.#count('I5', 1);
    const body = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    // an upload is what a party sent, under its own name
    if (name.startsWith('uploads/')) return;
    for (const mark of this.#marks)
      demand(!body.includes(mark), 'I5', () => `${name} holds a profile in clear`);
    this.#searchSecrets(name, octets);
  }

  #searchSecrets(name: string, octets: Bytes): void {
    const body = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    for (const secret of this.#secrets)
      demand(!body.includes(secret), 'I5', () => `${name} holds a profile protection key in clear`);
  }

  #count(rule: string, number: number): void {
    this.checks.set(rule, (this.checks.get(rule) ?? 0) + number);
  }
}

/** States of an order of which nothing can be bound any more. */
const ENDED: readonly string[] = ['Cancelled', 'Closed', 'Rejected'];
/** Objects that stay without being named by the ledger: locked ones, and what an answer was once made of. */
const KEPT_OBJECTS = [
  /^(commits|records|audit|crls|manifests)\//,
  /^parts\/.*-without-/,
  /^(euicc-data-results|report-results)\//,
  /^orders\/[^/]*\/template-.*-rows$/,
];
/** Whose PPK vault it is, and where the audit log ended last. */
const KEPT_PACKS = [/^(deployment|audit-heads)\//];
