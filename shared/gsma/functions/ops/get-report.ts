import { integer, object, optional, required, text } from '../../check.ts';
import { id16 } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  party: required(text(128)),
  reportId: required(id16),
});

/** Ops.getReport: one loading report, and the items that were rejected, page by page. */
export const getReport = viewerFunction('ops.getReport', body, ({ inventory }, input) =>
  inventory.getReport(input),
);
