import { integer, object, oneOf, optional, required, text } from '../../check.ts';
import { partyFunction } from '../../interface-function.ts';

/** As many digits as the log numbers its lines with. */
const MAX_SEQUENCE = 9_999_999_999;

const body = object({
  format: required(oneOf('csv', 'json')),
  from: optional(integer(1, MAX_SEQUENCE)),
  event: optional(text(128)),
  by: optional(text(128)),
});

/** Ops.exportAuditLines: lines of the audit log as a file, signed by the delivery key. */
export const exportAuditLines = partyFunction({
  path: 'ops.exportAuditLines',
  role: 'viewer',
  reaches: [],
  needs: { keys: ['delivery', 'longTerm'] },
  body,
  async call({ inventory }, _caller, input) {
    return { members: { ...(await inventory.exportAuditLines(input)) } };
  },
});
