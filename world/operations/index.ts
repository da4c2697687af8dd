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

/** Those after which a ledger is older than its vault; docs/simulation.md has what they find that nobody has settled yet. */
const DISASTERS = ['restoreBackup', 'loseWrites'];

export function drawOperation(random: Random, disasters: boolean): string {
  const kinds = Object.entries(OPERATIONS).filter(([kind]) => disasters || !DISASTERS.includes(kind));
  let left = (random.next() / 2 ** 32) * kinds.reduce((sum, [, { weight }]) => sum + weight, 0);
  for (const [kind, { weight }] of kinds) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'repeatRequest';
}
