import { getServerKeysOf } from '../common/get-server-keys.ts';

export const getServerKeys = getServerKeysOf('es2f.getServerKeys', 'operator', [
  'deliveryPublic',
  'longTermPublic',
  'intakePublic',
]);
