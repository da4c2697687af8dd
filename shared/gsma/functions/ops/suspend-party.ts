import { object, required, text } from '../../check.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  identifier: required(text(128)),
});

/** Ops.suspendParty: the certificates of a party call no more, until it is resumed. */
export const suspendParty = partyFunction({
  path: 'ops.suspendParty',
  role: 'administrator',
  reaches: [],
  needs: {},
  body,
  async call(services, caller, input) {
    const { certificates } = await services.operations.suspendParty(caller, input);
    return { members: { certificates } };
  },
});
