import type { Services } from '../../../service/api/services.ts';
import type { ObjectCheck } from '../../check.ts';
import { type FunctionName, partyFunction } from '../../interface-function.ts';
import type { PortNeeds } from '../../port-needs.ts';

/** To read the revocation lists, and to ask whether each key can be used. */
export const LOOKS_AT_KEYS: PortNeeds = {
  vault: 'read',
  keys: ['wrappingPublic', 'deliveryPublic', 'bindingPublic', 'intakePublic', 'longTermPublic'],
};

/**
 * A function for people who look: it reads the ledger of the deployment, all parties' orders, jobs and reports, and
 * changes nothing. Its answer is made for this interface by the inventory, member by member.
 */
export const viewerFunction = <const Path extends FunctionName, Input>(
  path: Path,
  body: ObjectCheck<Input>,
  look: (services: Pick<Services, 'inventory'>, input: Input) => Promise<object>,
  needs: PortNeeds = {},
) =>
  partyFunction({
    path,
    role: 'viewer',
    reaches: [],
    needs,
    body,
    async call(services, _caller, input) {
      return { members: { ...(await look(services, input)) } };
    },
  });
