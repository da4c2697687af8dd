import { object, optional, required } from '../../check.ts';
import { compactJws, sha256 } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  certificate: required(sha256),
  begin: optional(compactJws),
});

/** Ops.retireCertificate: a DPpb certificate of this server binds nothing any more. */
export const retireCertificate = partyFunction({
  path: 'ops.retireCertificate',
  role: 'administrator',
  reaches: [],
  needs: {},
  body,
  async call(services, caller, input) {
    const { isNew } = await services.operations.retireCertificate(caller, input);
    return { members: { isNew } };
  },
});
