import { flag, integer, object, optional, text } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  orderId: optional(orderId),
  party: optional(text(128)),
  open: optional(flag),
});

/** Ops.listJobs: requests for Bound Profile Packages, the newest first. */
export const listJobs = viewerFunction('ops.listJobs', body, ({ inventory }, input) =>
  inventory.listJobs(input),
);
