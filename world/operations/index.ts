import type { Random } from '../random.ts';
import { DAMAGE } from './damage.ts';
import { EUICCS } from './euiccs.ts';
import { INQUIRIES } from './inquiries.ts';
import { LINKS } from './links.ts';
import { MISUSE } from './misuse.ts';
import type { Operation } from './operation.ts';
import { ORDERS } from './orders.ts';
import { PARTIES } from './parties.ts';
import { REPORTS } from './reports.ts';
import { REQUESTS } from './requests.ts';
import { STRANGERS } from './strangers.ts';
import { TRUST } from './trust.ts';
import { UPKEEP } from './upkeep.ts';

/** Everything that the parties of a world may do. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ORDERS,
  ...EUICCS,
  ...REQUESTS,
  ...REPORTS,
  ...TRUST,
  ...UPKEEP,
  ...MISUSE,
  ...PARTIES,
  ...LINKS,
  ...INQUIRIES,
  ...DAMAGE,
  ...STRANGERS,
};

const TOTAL = Object.values(OPERATIONS).reduce((sum, { weight }) => sum + weight, 0);

export function drawOperation(random: Random): string {
  let left = (random.next() / 2 ** 32) * TOTAL;
  for (const [kind, { weight }] of Object.entries(OPERATIONS)) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'repeatRequest';
}
