import { object, required } from '../../check.ts';
import { eid } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  eid: required(eid),
});

/** Ops.findDevice: an eUICC: its one-time keys, its profiles, and their whole history. */
export const findDevice = viewerFunction('ops.findDevice', body, ({ inventory }, input) =>
  inventory.findDevice(input),
);
