import { integer, object, required } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  days: required(integer(0, 36_500)),
});

/** Ops.listExpiring: certificates and revocation lists that end within so many days, the next first. */
export const listExpiring = viewerFunction(
  'ops.listExpiring',
  body,
  ({ inventory }, input) => inventory.listExpiring(input),
  { vault: 'read' },
);
