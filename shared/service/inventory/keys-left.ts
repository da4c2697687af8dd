import { present } from '../../present.ts';
import type { Inventory, KeysLeft } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { einOf } from '../counts/ein.ts';
import { type EuiccRecord, euiccRecord } from '../records/euicc.ts';

/** Items of the ledger that one call looks at. */
const LOOKED_AT = 2_000;
const EUICC = 'euicc#';

/**
 * One-time keys left, by those who may bind them and by EUM. They are counted where they are, in the records of the eUICCs,
 * a stretch of the ledger in each call: a count of its own would cost every profile that is bound two write units more, for
 * a question that is asked now and then. The groups of a page are those of its stretch, and those of all pages add up.
 */
export async function listKeysLeft(
  { ledger }: Context,
  { party, ein, cursor }: Parameters<Inventory['listKeysLeft']>[0],
): Promise<{ keysLeft: readonly KeysLeft[]; cursor?: string }> {
  const walked = await ledger.walk(LOOKED_AT, cursor);
  const groups = new Map<string, KeysLeft>();
  for (const { partition, sort, item } of walked.found) {
    if (item === undefined || sort !== 'head' || !partition.startsWith(EUICC)) continue;
    const of = einOf(partition.slice(EUICC.length));
    const euicc = euiccRecord.from(item);
    if (ein !== undefined && of !== ein) continue;
    if (party !== undefined && !euicc.deviceMakers.includes(party)) continue;
    const makers = [...euicc.deviceMakers].sort();
    const name = JSON.stringify([of, makers]);
    groups.set(name, added(groups.get(name) ?? { deviceManufacturers: makers, ein: of, ...NONE }, euicc));
  }
  return { keysLeft: [...groups.values()], ...present({ cursor: walked.cursor }) };
}

const NONE = { registered: 0, bound: 0, closed: 0, left: 0 };

/** A key that a request has claimed counts as bound; a revoked eUICC has none left. */
function added(group: KeysLeft, { keys, revokedAt }: EuiccRecord): KeysLeft {
  const bound = keys.filter(({ state }) => state === 'claimed').length;
  const free = keys.filter(({ state }) => state === 'free').length;
  return {
    ...group,
    registered: group.registered + keys.length,
    bound: group.bound + bound,
    closed: group.closed + keys.length - bound - free,
    left: group.left + (revokedAt === undefined ? free : 0),
  };
}
