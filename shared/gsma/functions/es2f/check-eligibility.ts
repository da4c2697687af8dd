import { list, object, required } from '../../check.ts';
import { listedEid, orderId } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';

const MAX_EIDS = 1_000;

const body = object({
  orderId: required(orderId),
  eids: required(list(listedEid, { min: 1, max: MAX_EIDS })),
});

/**
 * ES2f.checkEligibility: the dry run of DPFF09. What would be refused is the answer, not a refusal of the call: it is
 * executed with success.
 */
export const checkEligibility = partyFunction({
  path: 'es2f.checkEligibility',
  role: 'operator',
  reaches: ['order'],
  needs: { vault: 'read' },
  wholeCore: true,
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const verdicts = await services.eligibility.checkEligibility(caller, input);
    return {
      members: {
        checked: verdicts.length,
        refused: verdicts.flatMap(({ eid, refusal }) =>
          refusal === undefined ? [] : [{ eid, ...itemCodes(refusal) }],
        ),
      },
    };
  },
});
