import { hash, type KeyObject } from 'node:crypto';
import { type Bytes, release, wipe } from '../../codec/bytes.ts';
import { together } from '../../concurrency.ts';
import { invariant } from '../../errors.ts';
import type { UseOptions } from '../../keys/provider.ts';
import { decodePackEntry, type PackEntry } from '../../profile/pack.ts';
import type { Ppk } from '../../profile/ppk.ts';
import { DamagedProfile, openPpk } from '../../profile/ppk-seal.ts';
import { DamagedObject } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import {
  type OrderStateRecord,
  orderRecord,
  orderStateRecord,
  type PackRecord,
  packRecord,
} from '../records/order.ts';
import { packContext } from '../records/wrap-contexts.ts';

const ENDED: readonly OrderStateRecord['state'][] = ['Rejected', 'Cancelled', 'Closed'];

/** Destroys the keys of a pack, so that no profile of it can ever be bound; may be repeated. */
export async function destroyPackKeys(
  { ppks }: Context,
  { ppks: name, dataKey }: Pick<PackRecord, 'ppks' | 'dataKey'>,
): Promise<void> {
  await ppks.destroyPack(name);
  await ppks.destroyPack(dataKey);
}

/** A profile as it is stored. */
export type StoredProfile =
  /** The caller wipes the PPK. Its seal holds the entry: what was altered on either side opens nothing (I11). */
  | { readonly kind: 'whole'; readonly iccid: string; readonly entry: PackEntry; readonly ppk: Ppk }
  /** The PPK is destroyed: the profile was bound, or cancelled. */
  | { readonly kind: 'keyless'; readonly iccid: string }
  /** What is stored is not what was; the alarm is raised. */
  | { readonly kind: 'damaged'; readonly iccid: string };

interface StoredEntry {
  /** Undefined where they could not be read. */
  readonly octets: Bytes | undefined;
  /** Undefined once it is destroyed. */
  readonly sealed: Bytes | undefined;
}

interface ProfilePlace {
  readonly dataKey: KeyObject | undefined;
  readonly iccid: string;
  readonly position: number;
}

const EMPTY = new Uint8Array();

/** Reads protected profiles by position, with one range read and one unwrap per pack touched. */
export class PackReader {
  readonly #context: Context;
  readonly #orderId: string;
  readonly #packs = new Map<number, Promise<PackRecord>>();
  readonly #held: Bytes[] = [];
  #packSize: Promise<number> | undefined;

  /** `known`: what the caller has read of the order, which is not read again. */
  constructor(
    context: Context,
    orderId: string,
    known?: { readonly packSize: number; readonly pack: number; readonly record: PackRecord },
  ) {
    this.#context = context;
    this.#orderId = orderId;
    if (known === undefined) return;
    this.#packSize = Promise.resolve(known.packSize);
    this.#packs.set(known.pack, Promise.resolve(known.record));
  }

  async iccid(position: number): Promise<string> {
    const size = await this.#size();
    const pack = await this.#pack(Math.floor(position / size));
    return pack.iccids[position % size]!;
  }

  /** What it has opened before it fails is wiped. */
  async read(positions: readonly number[], use?: UseOptions): Promise<Map<number, StoredProfile>> {
    const profiles = new Map<number, StoredProfile>();
    try {
      await this.#readInto(profiles, positions, use);
    } catch (error) {
      for (const profile of profiles.values()) if (profile.kind === 'whole') wipePpk(profile.ppk);
      throw error;
    }
    return profiles;
  }

  /** Gives back the memory of all entries that were read, which nobody may look at any more. */
  release(): void {
    for (const octets of this.#held.splice(0)) release(octets);
  }

  async #readInto(
    profiles: Map<number, StoredProfile>,
    positions: readonly number[],
    use: UseOptions | undefined,
  ): Promise<void> {
    const size = await this.#size();
    const byPack = Map.groupBy(positions, (position) => Math.floor(position / size));
    for (const [pack, inPack] of byPack) {
      const record = await this.#pack(pack);
      const places = inPack.map((position) => position - pack * size);
      const [stored, dataKey] = await together(
        this.#stored(record, places),
        this.#dataKey(pack, record, use),
      );
      for (const [i, position] of inPack.entries()) {
        const place = { dataKey, iccid: record.iccids[places[i]!]!, position };
        profiles.set(
          position,
          this.#open(place, stored[i]!) ?? (await this.#again(record, places[i]!, place)),
        );
      }
    }
  }

  /** Entries and sealed PPKs of a pack, one range read of each; they are not checked yet. */
  async #stored({ object, offsets, ppks }: PackRecord, places: readonly number[]): Promise<StoredEntry[]> {
    const first = Math.min(...places);
    const start = offsets[first]!;
    const length = offsets[Math.max(...places) + 1]! - start;
    try {
      const [octets, sealed] = await together(
        this.#context.vault.get(object, { offset: start, length }),
        this.#context.ppks.entries(ppks, places),
      );
      this.#held.push(octets);
      return places.map((place, i) => ({
        octets: octets.subarray(offsets[place]! - start, offsets[place + 1]! - start),
        sealed: sealed[i],
      }));
    } catch (error) {
      // one of many may be to blame: each is read again by itself
      if (error instanceof DamagedObject) return places.map(() => ({ octets: undefined, sealed: EMPTY }));
      throw error;
    }
  }

  /** Undefined for a profile that is not as it was stored. */
  #open(
    { dataKey, iccid, position }: ProfilePlace,
    { octets, sealed }: StoredEntry,
  ): StoredProfile | undefined {
    if (sealed === undefined || dataKey === undefined) return { kind: 'keyless', iccid };
    if (octets === undefined) return undefined;
    const entry = hash('sha256', octets, 'buffer');
    try {
      const ppk = openPpk(dataKey, sealed, { orderId: this.#orderId, position, iccid, entry });
      return { kind: 'whole', iccid, entry: orWipe(ppk, () => decodePackEntry(octets)), ppk };
    } catch (error) {
      if (error instanceof DamagedProfile) return undefined;
      throw error;
    }
  }

  /** One look more, by itself, before an alarm: a profile that is called damaged is lost to its order. */
  async #again(record: PackRecord, inPack: number, place: ProfilePlace): Promise<StoredProfile> {
    const [stored] = await this.#stored(record, [inPack]);
    const profile = this.#open(place, stored!);
    if (profile !== undefined) return profile;
    const { iccid } = place;
    this.#context.log({
      event: 'alarm.object.damaged',
      object: record.object.name,
      order: this.#orderId,
      iccid,
    });
    return { kind: 'damaged', iccid };
  }

  /**
   * Destroys the PPKs of bound profiles (I5); may be repeated. A pack whose record no restore could bring back has none: its order
   * is closed then, and the keys of all that was ever made for the pack are destroyed (restore/orders.ts).
   */
  async destroyPpks(positions: readonly number[]): Promise<void> {
    const size = await this.#size();
    for (const [pack, inPack] of Map.groupBy(positions, (position) => Math.floor(position / size))) {
      const record = await this.#recordOf(pack);
      if (record === undefined) await this.#requireEnded(pack);
      else
        await this.#context.ppks.destroy(
          record.ppks,
          inPack.map((position) => position - pack * size),
        );
    }
  }

  /** Undefined once it is destroyed: the order was cancelled since the PPKs were read. */
  async #dataKey(pack: number, record: PackRecord, use?: UseOptions): Promise<KeyObject | undefined> {
    const { ppks, dataKeys } = this.#context;
    let stored = await ppks.header(record.dataKey);
    if (stored === undefined) {
      // the wrapping key was rotated since the record was read
      this.#packs.delete(pack);
      stored = await ppks.header((await this.#pack(pack)).dataKey);
    }
    if (stored === undefined) return undefined;
    return await dataKeys.open(stored, packContext(this.#orderId, pack), use);
  }

  #size(): Promise<number> {
    this.#packSize ??= this.#context.ledger.get(ledgerKeys.order(this.#orderId)).then((item) => {
      invariant(item !== undefined, `order ${this.#orderId} has no record`);
      return orderRecord.from(item).packSize;
    });
    return this.#packSize;
  }

  #pack(pack: number): Promise<PackRecord> {
    let record = this.#packs.get(pack);
    if (record === undefined) {
      record = this.#recordOf(pack).then((found) => {
        invariant(found !== undefined, this.#notCommitted(pack));
        return found;
      });
      this.#packs.set(pack, record);
    }
    return record;
  }

  async #recordOf(pack: number): Promise<PackRecord | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.orderPack(this.#orderId, pack));
    return item && packRecord.from(item);
  }

  async #requireEnded(pack: number): Promise<void> {
    const state = await this.#context.ledger.get(ledgerKeys.orderState(this.#orderId));
    const hasEnded = state !== undefined && ENDED.includes(orderStateRecord.from(state).state);
    invariant(hasEnded, this.#notCommitted(pack));
  }

  #notCommitted(pack: number): string {
    return `pack ${pack} of order ${this.#orderId} is not committed`;
  }
}

const wipePpk = ({ ppkEnc, ppkCmac }: Ppk) => wipe(ppkEnc, ppkCmac);

function orWipe<T>(ppk: Ppk, work: () => T): T {
  try {
    return work();
  } catch (error) {
    wipePpk(ppk);
    throw error;
  }
}
