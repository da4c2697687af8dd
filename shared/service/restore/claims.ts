import { Fault } from '../../errors.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { standings } from '../esed1/claims.ts';
import { keyOwner } from '../esed1/euicc-store.ts';
import { type EuiccRecord, euiccRecord, itemName } from '../records/euicc.ts';
import type { BoundItem } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';

const ATTEMPTS = 12;

/** A bound item with its place in its job. */
export interface Taken {
  readonly jobId: string;
  readonly index: number;
  readonly orderId: string;
  readonly item: BoundItem;
}

/**
 * Takes the one-time keys of committed items as they were taken: in the eUICC's record, and in the key's own item,
 * from where the record learns it should the eUICC be registered anew. Returns those that another commit stands
 * behind, which a restored ledger must have bound while nobody had frozen it. May be repeated.
 */
export async function replayClaims(context: Context, all: readonly Taken[]): Promise<readonly Taken[]> {
  const { ledger } = context;
  await takeKeys(ledger, all);
  const twice: Taken[] = [];
  let open = [...Map.groupBy(all, ({ item }) => item.eid)];
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === ATTEMPTS)
      throw new Fault('ledger', 'eUICC records change while the ledger is restored', { retryable: true });
    const standingOf = standings(context);
    const stored = await ledger.getMany(open.map(([eid]) => ledgerKeys.euicc(eid)));
    const writes: Write[] = [];
    const waiting: typeof open = [];
    for (const [i, [eid, taken]] of open.entries()) {
      const before = stored[i];
      // registered after the restored ledger's last write: the key's own item keeps it until the EUM sends it again
      if (before === undefined) continue;
      let euicc = euiccRecord.from(before);
      for (const one of taken) {
        const name = itemName(one.jobId, one.index);
        const key = euicc.keys.find(({ keyId }) => keyId === one.item.keyId);
        const other = key?.by === undefined || key.by === name ? undefined : key.by;
        if (other !== undefined && (await standingOf(other)) === 'bound') twice.push(one);
        else euicc = withClaim(euicc, one, name);
      }
      if (euicc === euiccRecord.from(before)) continue;
      writes.push({ put: before, attributes: euiccRecord.to(euicc), when: { revision: before.revision } });
      waiting.push([eid, taken]);
    }
    const outcomes = await ledger.writeMany(writes);
    open = waiting.filter((_, i) => !outcomes[i]!.done);
  }
  return twice;
}

function withClaim(euicc: EuiccRecord, { item, orderId }: Taken, name: string): EuiccRecord {
  const holders = euicc.orders[orderId] ?? [];
  const key = euicc.keys.find(({ keyId }) => keyId === item.keyId);
  const isTaken = key === undefined || (key.state === 'claimed' && key.by === name);
  if (isTaken && holders.includes(name)) return euicc;
  return {
    ...euicc,
    keys: euicc.keys.map((one) => (one.keyId === item.keyId ? { ...one, state: 'claimed', by: name } : one)),
    orders: { ...euicc.orders, [orderId]: [...new Set([...holders, name])] },
  };
}

async function takeKeys(ledger: Ledger, all: readonly Taken[]): Promise<void> {
  // the first commit records did not say which point a key is: those are known by their eUICCs' records alone
  let open = all.filter(({ item }) => item.x !== undefined);
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === ATTEMPTS)
      throw new Fault('ledger', 'one-time keys change while the ledger is restored', { retryable: true });
    const keys = open.map(({ item }) =>
      ledgerKeys.oneTimeKey(item.suite, Buffer.from(item.x).toString('hex')),
    );
    const stored = await ledger.getMany(keys);
    const planned = open.flatMap((one, i) => {
      const write = takeKey(stored[i], keys[i]!, one);
      return write === undefined ? [] : [{ one, write }];
    });
    const outcomes = await ledger.writeMany(planned.map(({ write }) => write));
    open = planned.flatMap(({ one }, i) => (outcomes[i]!.done ? [] : [one]));
  }
}

function takeKey(before: Item | undefined, put: Item | { partition: string; sort: string }, one: Taken) {
  const owner = before && keyOwner.from(before);
  if (owner?.by !== undefined) return undefined;
  const { eid, keyId } = one.item;
  const next = { eid, keyId, by: itemName(one.jobId, one.index), orderId: one.orderId };
  const when = before === undefined ? 'absent' : { revision: before.revision };
  return { put, attributes: keyOwner.to(next), when } as const satisfies Write;
}
