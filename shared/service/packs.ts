import { createSecretKey, type KeyObject } from 'node:crypto';
import { wipe } from '../codec/bytes.ts';
import { invariant } from '../errors.ts';
import type { WrapContext } from '../keys/provider.ts';
import { decodePackEntry, type PackEntry } from '../profile/pack.ts';
import type { Ppk } from '../profile/ppk.ts';
import { openPpk } from '../profile/ppk-seal.ts';
import type { Context } from './context.ts';
import { ledgerKeys } from './records/keys.ts';
import { orderRecord, type PackRecord, packRecord } from './records/order.ts';

/** What the wrapping key authenticates with a pack's data key. */
export const packContext = (orderId: string, pack: number): WrapContext => ({
  order: orderId,
  pack: String(pack),
});

export interface StoredProfile {
  readonly iccid: string;
  readonly entry: PackEntry;
  /** Undefined once it is destroyed: the profile was bound. The caller wipes it. */
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

  async read(positions: readonly number[]): Promise<Map<number, StoredProfile>> {
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
        ? await this.#dataKey(pack, record)
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

  async #dataKey(pack: number, record: PackRecord): Promise<KeyObject> {
    const { ppks, keyRing, settings } = this.#context;
    const wrapped = await ppks.header(record.ppks);
    invariant(wrapped !== undefined, `the PPK vault has lost pack ${pack} of order ${this.#orderId}`);
    const plaintext = await (await keyRing.wrapping(settings.wrappingKey)).unwrapDataKey(
      wrapped,
      packContext(this.#orderId, pack),
    );
    const dataKey = createSecretKey(plaintext);
    wipe(plaintext);
    return dataKey;
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
