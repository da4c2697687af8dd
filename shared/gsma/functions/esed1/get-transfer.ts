import { getTransferOf } from '../common/get-transfer.ts';

export const getTransfer = getTransferOf('esed1.getTransfer', {
  role: 'eum',
  reaches: ['batch'],
  needs: { vault: 'read' },
});
