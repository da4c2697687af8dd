import { PROFILE_STATES } from '../../../service/api/es2f.ts';
import { integer, object, oneOf, optional, required, text } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const MAX_POSITION = 2 ** 32 - 1;

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  orderId: required(orderId),
  state: optional(oneOf(...PROFILE_STATES)),
  from: optional(integer(0, MAX_POSITION)),
});

/** Ops.listProfiles: profiles of an order by position. */
export const listProfiles = viewerFunction('ops.listProfiles', body, ({ inventory }, input) =>
  inventory.listProfiles(input),
);
