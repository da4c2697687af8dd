import { object } from '../../check.ts';
import { LOOKS_AT_KEYS, viewerFunction } from '../common/viewer-function.ts';

const body = object({});

/** Ops.getOverview: stock, today, open work, callbacks, failures, what expires, health. */
export const getOverview = viewerFunction(
  'ops.getOverview',
  body,
  ({ inventory }) => inventory.getOverview(),
  LOOKS_AT_KEYS,
);
