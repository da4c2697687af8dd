import { integer, object, optional, text } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

/** As many digits as the log numbers its lines with. */
const MAX_SEQUENCE = 9_999_999_999;

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  before: optional(integer(1, MAX_SEQUENCE)),
  event: optional(text(128)),
  by: optional(text(128)),
});

/** Ops.listAuditLines: the audit log, the newest line first. */
export const listAuditLines = viewerFunction('ops.listAuditLines', body, ({ inventory }, input) =>
  inventory.listAuditLines(input),
);
