import { messageOf } from '../../events/error-record.ts';
import { scan } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { wrappedUnder } from '../records/custody.ts';
import { wrappedPartition } from '../records/keys.ts';

/** A wrapping key of the backup's time that cannot be used, and how many data keys only it opens. */
export interface LostWrappingKey {
  readonly keyUri: string;
  readonly dataKeys: number;
  readonly why: string;
}

/**
 * Wrapping keys under which a ledger still has data keys, of templates and callbacks in itself and of packs in the PPK vault,
 * and that cannot be opened: they were destroyed since, or were not brought along. A pack's data key that a rotation moved
 * is no longer under the key that a backup names; it is found by its new name (data-keys.ts).
 */
export async function lostWrappingKeys({
  ledger,
  ppks,
  keyRing,
  keyAssignments,
}: Pick<Context, 'ledger' | 'ppks' | 'keyRing' | 'keyAssignments'>): Promise<LostWrappingKey[]> {
  const lost: LostWrappingKey[] = [];
  const { uri, former } = await keyAssignments.get('wrapping');
  for (const keyUri of [uri, ...former.map((one) => one.uri)]) {
    const why = await keyRing.wrapping(keyUri).then(() => undefined, messageOf);
    if (why === undefined) continue;
    let dataKeys = 0;
    for await (const entry of scan(ledger, wrappedPartition(keyUri))) {
      const { pack } = wrappedUnder.from(entry);
      if (pack === undefined || (await ppks.header(entry.sort)) !== undefined) dataKeys += 1;
    }
    if (dataKeys > 0) lost.push({ keyUri, dataKeys, why });
  }
  return lost;
}
