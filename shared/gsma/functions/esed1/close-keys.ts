import { closeKeysOf } from '../common/close-keys.ts';

export const closeKeys = closeKeysOf('esed1.closeKeys', {
  role: 'eum',
  // an EUM is looked for in the view of trust, which reads revocation lists
  needs: { vault: 'read' },
});
