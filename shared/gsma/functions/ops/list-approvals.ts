import { object } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

/** Ops.listApprovals: what takes two administrators, and what waits for the second one. */
export const listApprovals = viewerFunction('ops.listApprovals', object({}), ({ inventory }) =>
  inventory.listApprovals(),
);
