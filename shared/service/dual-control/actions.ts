import type { GuardedAction } from '../records/dual-control.ts';

/** An action and what it is done to, as an approval is for it and nothing else. */
export interface Guarded {
  readonly action: GuardedAction;
  readonly subject: string;
}

/** What each action is, for people who choose. */
export const ACTIONS: Readonly<Record<GuardedAction, string>> = {
  'key.generate': 'a key is made, or takes the place of the one in use',
  'key.install': 'a binding certificate is taken into use',
  'key.retire': 'a key or binding certificate is never used again',
  'trust.add': 'a CI or an EUM is trusted, or a missing revocation list tolerated',
  'trust.remove': 'a CI, an EUM or an eUICC is trusted no more',
  'party.add': 'a client certificate is registered',
  'party.revoke': 'a client certificate is revoked',
  erase: 'the deployment is erased',
  restore: 'a restored ledger is brought up to date and thawed',
  administrators:
    'an administrator is added or removed, or this policy changed; guarded by itself as soon as anything is',
};
