import { closeKeysOf } from '../common/close-keys.ts';

export const closeKeys = closeKeysOf('esbpp.closeKeys', { role: 'deviceMaker', needs: {} });
