import { integer, object, optional, required, text } from '../../check.ts';
import { id16 } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  jobId: required(id16),
});

/** Ops.getJob: one request, how far it is, and the items that were refused, page by page. */
export const getJob = viewerFunction('ops.getJob', body, ({ inventory }, input) => inventory.getJob(input));
