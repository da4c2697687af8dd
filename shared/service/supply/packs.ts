import type { KeyObject } from 'node:crypto';
import { invariant } from '../../errors.ts';
import type { UseOptions } from '../../keys/provider.ts';
import { decodePackEntry, type PackEntry } from '../../profile/pack.ts';
import type { Ppk } from '../../profile/ppk.ts';
import { openPpk } from '../../profile/ppk-seal.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { orderRecord, type PackRecord, packRecord } from '../records/order.ts';
import { packContext } from '../records/wrap-contexts.ts';

/** Destroys the keys of a pack, so that no profile of it can ever be bound; may be repeated. */
export async function destroyPackKeys(
  { ppks }: Context,
  { ppks: name, dataKey }: Pick<PackRecord, 'ppks' | 'dataKey'>,
): Promise<void> {
  await ppks.destroyPack(name);
  await ppks.destroyPack(dataKey);
}

export interface StoredProfile {
  readonly iccid: string;
  readonly entry: PackEntry;
  /** Undefined once it is destroyed: the profile was bound, or cancelled. The caller wipes it. */
  readonly ppk: Ppk | undefined;
}

/** Reads protected profiles by position, with one range read and one unwrap per pack touched. */
export class PackReader {
  readonly #context: Context;
  readonly #orderId: string;
  readonly #packs = new Map<number, Promise<PackRecord>>();
  #packSize: Promise<number> | undefined;

  constructor(context: Context, orderId: string) {
    this.#context = context;
    this.#orderId = orderId;
  }

  async iccid(position: number): Promise<string> {
    const size = await this.#size();
    const pack = await this.#pack(Math.floor(position / size));
    return pack.iccids[position % size]!;
  }

  async read(positions: readonly number[], use?: UseOptions): Promise<Map<number, StoredProfile>> {
    const size = await this.#size();
    const byPack = Map.groupBy(positions, (position) => Math.floor(position / size));
    const profiles = new Map<number, StoredProfile>();
    for (const [pack, inPack] of byPack) {
      const record = await this.#pack(pack);
      const places = inPack.map((position) => position - pack * size);
      const first = Math.min(...places);
      const last = Math.max(...places);
      const start = record.offsets[first]!;
      const octets = await this.#context.vault.get(record.object, {
        offset: start,
        length: record.offsets[last + 1]! - start,
      });
      const sealed = await this.#context.ppks.entries(record.ppks, places);
      const dataKey = sealed.some((entry) => entry !== undefined)
        ? await this.#dataKey(pack, record, use)
        : undefined;
      for (const [i, place] of places.entries()) {
        const position = pack * size + place;
        const iccid = record.iccids[place]!;
        const entry = decodePackEntry(
          octets.subarray(record.offsets[place]! - start, record.offsets[place + 1]! - start),
        );
        const ppk =
          sealed[i] && dataKey && openPpk(dataKey, sealed[i], { orderId: this.#orderId, position, iccid });
        profiles.set(position, { iccid, entry, ppk });
      }
    }
    return profiles;
  }

  /** Destroys the PPKs of bound profiles (I5); may be repeated. */
  async destroyPpks(positions: readonly number[]): Promise<void> {
    const size = await this.#size();
    for (const [pack, inPack] of Map.groupBy(positions, (position) => Math.floor(position / size))) {
      const record = await this.#pack(pack);
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
      record = this.#context.ledger.get(ledgerKeys.orderPack(this.#orderId, pack)).then((item) => {
        invariant(item !== undefined, `pack ${pack} of order ${this.#orderId} is not committed`);
        return packRecord.from(item);
      });
      this.#packs.set(pack, record);
    }
    return record;
  }
}
