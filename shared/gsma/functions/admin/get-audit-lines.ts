import { toldLine } from '../../../service/api/admin.ts';
import { integer, object, optional } from '../../check.ts';
import { partyFunction } from '../../interface-function.ts';

const MAX_LINES = 1_000;
/** As many digits as the log numbers its lines with. */
const MAX_SEQUENCE = 9_999_999_999;

const body = object({
  from: optional(integer(1, MAX_SEQUENCE)),
  limit: optional(integer(1, MAX_LINES)),
});

/** Admin.getAuditLines: the audit log, page by page, with what proves it complete. */
export const getAuditLines = partyFunction({
  path: 'admin.getAuditLines',
  role: 'auditor',
  reaches: [],
  needs: {},
  body,
  async call(services, _caller, { from = 1, limit = MAX_LINES }) {
    const { lines, head } = await services.audit.getAuditLines({ from, limit });
    return {
      members: {
        lines: lines.map(toldLine),
        head: { sequence: head.sequence, hash: head.hash },
      },
    };
  },
});
