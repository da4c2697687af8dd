import { object, optional } from '../../check.ts';
import { iccid, id16 } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  iccid: optional(iccid),
  transactionId: optional(id16),
});

/** Ops.findProfile: a profile by ICCID or by transactionId, and its whole history. */
export const findProfile = viewerFunction('ops.findProfile', body, ({ inventory }, input) =>
  inventory.findProfile(input),
);
