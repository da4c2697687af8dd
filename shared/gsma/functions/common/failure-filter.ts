import { FAILURE_KINDS } from '../../../service/api/ops-troubles.ts';
import { oneOf, optional, text } from '../../check.ts';
import { ein, instant, orderId } from '../../fields.ts';

/** Which failures are meant, to list or to count them. */
export const failureFilter = {
  since: optional(instant),
  until: optional(instant),
  kind: optional(oneOf(...FAILURE_KINDS)),
  code: optional(text(128)),
  party: optional(text(128)),
  ein: optional(ein),
  orderId: optional(orderId),
};
