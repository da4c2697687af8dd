import { object, required, text } from '../../check.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  identifier: required(text(128)),
});

/** Ops.resumeParty: a party that was suspended may call again. */
export const resumeParty = partyFunction({
  path: 'ops.resumeParty',
  role: 'administrator',
  reaches: [],
  needs: {},
  body,
  async call(services, caller, input) {
    const { certificates } = await services.operations.resumeParty(caller, input);
    return { members: { certificates } };
  },
});
