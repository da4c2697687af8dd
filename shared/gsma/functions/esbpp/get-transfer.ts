import { getTransferOf } from '../common/get-transfer.ts';

export const getTransfer = getTransferOf('esbpp.getTransfer', {
  role: 'deviceMaker',
  reaches: ['job', 'report'],
  // a part from which something is withheld is written before it is named
  needs: { vault: 'write' },
});
