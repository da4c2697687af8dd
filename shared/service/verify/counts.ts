import { scanPages } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { missing, recount } from '../inventory/recount.ts';
import { splitSort } from '../inventory/times.ts';
import { listedPartition, orderCountsPartition } from '../records/keys.ts';
import { checkEach, type Finding, type Slice } from './finding.ts';

/** Orders whose counts are held against their profiles in one slice: one may have millions. */
const ORDERS = 1;

/** The counts of every order against what its profiles say. */
export async function* verifyCounts(context: Context, after: string): AsyncGenerator<Slice> {
  const range = { ...(after !== '' && { from: after }), pageSize: ORDERS };
  for await (const items of scanPages(context.ledger, listedPartition('order'), range)) {
    const some = items.filter(({ sort }) => sort > after);
    const orderIds = some.map(({ sort }) => splitSort(sort).id);
    const findings = await checkEach(orderIds, (orderId) => problemsOf(context, orderId), findingOf);
    yield { findings, looked: some.length, cursor: items.at(-1)?.sort };
  }
}

const findingOf = (orderId: string): Finding => ({
  where: 'ledger',
  name: orderCountsPartition(orderId),
  problem: '',
  repair: { recountOrder: orderId },
});

async function problemsOf(context: Context, orderId: string): Promise<readonly Finding[]> {
  const lacking = Object.entries(missing(await recount(context, orderId)));
  return lacking.map(([state, count]) => ({
    ...findingOf(orderId),
    problem:
      count > 0
        ? `${count} profiles that are ${state} are not counted`
        : `${-count} profiles are counted as ${state} and are not`,
  }));
}
