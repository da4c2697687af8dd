import { integer, object, optional, text } from '../../check.ts';
import { ein } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  party: optional(text(128)),
  ein: optional(ein),
});

/** Ops.listKeysLeft: one-time keys left, by device manufacturer and EUM. */
export const listKeysLeft = viewerFunction('ops.listKeysLeft', body, ({ inventory }, input) =>
  inventory.listKeysLeft(input),
);
