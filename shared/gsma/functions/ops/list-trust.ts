import { object } from '../../check.ts';
import { LOOKS_AT_KEYS, viewerFunction } from '../common/viewer-function.ts';

const body = object({});

/** Ops.listTrust: CIs, EUMs, certificates of this server, revocation lists and keys. */
export const listTrust = viewerFunction(
  'ops.listTrust',
  body,
  ({ inventory }) => inventory.listTrust(),
  LOOKS_AT_KEYS,
);
