import { object, required } from '../../check.ts';
import { compactJws } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  decision: required(compactJws),
});

/** Ops.signApproval: an administrator asks, agrees or declines, as signed under their own key. */
export const signApproval = partyFunction({
  path: 'ops.signApproval',
  role: 'administrator',
  reaches: [],
  needs: {},
  body,
  async call(services, caller, input) {
    return { members: { ...(await services.operations.signApproval(caller, input)) } };
  },
});
