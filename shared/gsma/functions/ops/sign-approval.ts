import { object, required, text } from '../../check.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  decision: required(text(4_096)),
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
