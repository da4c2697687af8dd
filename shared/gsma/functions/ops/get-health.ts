import { object } from '../../check.ts';
import { LOOKS_AT_KEYS, viewerFunction } from '../common/viewer-function.ts';

const body = object({});

/** Ops.getHealth: whether the server can do its work, and what is ill. */
export const getHealth = viewerFunction(
  'ops.getHealth',
  body,
  ({ inventory }) => inventory.getHealth(),
  LOOKS_AT_KEYS,
);
