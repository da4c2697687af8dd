import { getAuditLines as binding } from '../../shared/gsma/functions/admin/get-audit-lines.ts';
import { partyFunction } from '../function-handler.ts';
import { lambdaEntry } from '../runtime.ts';

export const getAuditLines = partyFunction('admin.getAuditLines', binding);

/** The entry point on Lambda. */
export const handler = lambdaEntry(getAuditLines);
