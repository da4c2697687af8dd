import { refuse } from '../../errors.ts';
import { scanPages } from '../../ledger/scan.ts';
import type { Inventory, KeysLeft } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { keyCount } from '../records/inventory.ts';
import { partitions } from '../records/keys.ts';
import { limitOf } from './page.ts';

/** One-time keys left, by those who may bind them and by EUM: groups by EIN, each the sum of its counts. */
export async function listKeysLeft(
  { ledger }: Context,
  { party, ein, ...request }: Parameters<Inventory['listKeysLeft']>[0],
): Promise<{ keysLeft: readonly KeysLeft[]; cursor?: string }> {
  const limit = limitOf(request);
  const after = request.cursor === undefined ? undefined : parseCursor(request.cursor);
  const range = {
    ...(ein !== undefined && { prefix: `${ein}#` }),
    ...(ein === undefined && after !== undefined && { from: `${after}#~` }),
  };
  const groups = new Map<string, KeysLeft>();
  for await (const items of scanPages(ledger, partitions.keyCounts, range)) {
    for (const item of items) {
      const group = item.sort.slice(0, item.sort.lastIndexOf('#'));
      if (after !== undefined && group <= after) continue;
      const { deviceMakers, registered, bound, closed } = keyCount.from(item);
      if (party !== undefined && !deviceMakers.includes(party)) continue;
      if (!groups.has(group) && groups.size === limit)
        return { keysLeft: told(groups), cursor: cursorOf([...groups.keys()].at(-1) ?? '') };
      const known = groups.get(group);
      const sums = {
        registered: registered + (known?.registered ?? 0),
        bound: bound + (known?.bound ?? 0),
        closed: closed + (known?.closed ?? 0),
      };
      groups.set(group, {
        deviceManufacturers: deviceMakers,
        ein: group.slice(0, group.indexOf('#')),
        ...sums,
        left: sums.registered - sums.bound - sums.closed,
      });
    }
  }
  return { keysLeft: told(groups) };
}

/** A group that has no key any more, as of device manufacturers that others took the place of, is left out. */
const told = (groups: ReadonlyMap<string, KeysLeft>) =>
  [...groups.values()].filter(({ registered }) => registered !== 0);

const cursorOf = (group: string) => Buffer.from(group, 'utf8').toString('base64url');

function parseCursor(cursor: string): string {
  const group = Buffer.from(cursor, 'base64url').toString('utf8');
  return /^[0-9]{8}#[0-9a-f]+$/.test(group)
    ? group
    : refuse('protocolFormat', 'the cursor is not one that this list gave');
}
