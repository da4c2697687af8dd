import { getServerKeysOf } from '../common/get-server-keys.ts';

export const getServerKeys = getServerKeysOf('esbpp.getServerKeys', 'deviceMaker', [
  'deliveryPublic',
  'longTermPublic',
]);
