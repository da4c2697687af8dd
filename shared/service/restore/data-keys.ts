import { decodeWrappedKey } from '../../keys/wrapped-key.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { PpkVault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { type WrappedUnder, wrappedUnder } from '../records/custody.ts';
import { ledgerKeys } from '../records/keys.ts';
import { packRecord } from '../records/order.ts';

/** Order, number and attempt of a pack, and the tag of a wrapping key where the data key was moved to it. */
const DATA_KEY = /^(([^/]+)\/(\d+)\/[0-9a-f-]{36})-key(?:-[0-9a-f]+)?$/;

/** Enters a data key in the list of its wrapping key; on the ledger below the guard, which `DataKeys` has not. */
export async function noteDataKey(
  ledger: Ledger,
  { keyUri, name }: { readonly keyUri: string; readonly name: string },
  place: WrappedUnder,
): Promise<void> {
  const put = ledgerKeys.wrappedUnder(keyUri, name);
  await ledger.write({ put, attributes: wrappedUnder.to(place), when: 'absent' });
}

interface StoredDataKey {
  readonly orderId: string;
  readonly pack: number;
  /** Its name for each wrapping key that it is under: one, or two where a rotation stopped in between. */
  readonly names: string[];
}

/**
 * The data keys that are left, by the PPKs that they seal. A rotation gives a data key another name, which a ledger from
 * before the rotation does not know: the name that it does know is gone by then.
 */
export class StoredDataKeys {
  readonly #byPpks = new Map<string, StoredDataKey>();

  static async read(ppks: PpkVault): Promise<StoredDataKeys> {
    const stored = new StoredDataKeys();
    for await (const name of ppks.names()) {
      const [, sealed, orderId, pack] = DATA_KEY.exec(name) ?? [];
      if (sealed === undefined || orderId === undefined) continue;
      const known = stored.#byPpks.get(sealed);
      if (known === undefined) stored.#byPpks.set(sealed, { orderId, pack: Number(pack), names: [name] });
      else known.names.push(name);
    }
    return stored;
  }

  /** Of the PPKs with this name; undefined where it was destroyed. */
  of(sealed: string): string | undefined {
    return this.#byPpks.get(sealed)?.names.at(-1);
  }

  /**
   * Has the pack records of a restored ledger name the data keys that are there, and enters each in the list of its wrapping
   * key, so that the next rotation finds it; may be repeated.
   */
  async reconcile({ ledger, ppks }: Pick<Context, 'ledger' | 'ppks'>): Promise<void> {
    for (const [sealed, { orderId, pack, names }] of this.#byPpks) {
      const isOwn = await changeItem<boolean>(ledger, ledgerKeys.orderPack(orderId, pack), (item) => {
        const record = item && packRecord.from(item);
        if (record?.ppks !== sealed) return unchanged(false);
        if (names.includes(record.dataKey)) return unchanged(true);
        return becomes(packRecord.to({ ...record, dataKey: names.at(-1)! }), true);
      });
      if (!isOwn) continue;
      for (const name of names) {
        const header = await ppks.header(name);
        if (header === undefined) continue;
        const { keyUri } = decodeWrappedKey(header);
        await noteDataKey(ledger, { keyUri, name }, { orderId, pack });
      }
    }
  }
}
