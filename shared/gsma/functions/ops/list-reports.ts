import { integer, object, optional, text } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  party: optional(text(128)),
});

/** Ops.listReports: loading reports, the newest first. */
export const listReports = viewerFunction('ops.listReports', body, ({ inventory }, input) =>
  inventory.listReports(input),
);
