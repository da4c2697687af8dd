import { object } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({});

/** Ops.listParties: client certificates of the register. */
export const listParties = viewerFunction('ops.listParties', body, ({ inventory }) =>
  inventory.listParties(),
);
