import { object, required } from '../../check.ts';
import { id16 } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  requestId: required(id16),
});

/** Ops.findRequest: what a requestId, batchId or reportId names. */
export const findRequest = viewerFunction('ops.findRequest', body, ({ inventory }, input) =>
  inventory.findRequest(input),
);
