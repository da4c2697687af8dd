import type { Context } from '../context.ts';

/** What callbacks need of a context: on AWS they have a process of their own, which has nothing more. */
export type CallbackContext = Pick<
  Context,
  'ledger' | 'keyRing' | 'keyAssignments' | 'dataKeys' | 'settings' | 'now' | 'random'
>;

/** Milliseconds for which a process keeps an opened key before it looks again whether it is still the one in use. */
export const LOOK_AGAIN_MS = 60_000;
