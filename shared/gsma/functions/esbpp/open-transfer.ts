import { openTransferOf } from '../common/open-transfer.ts';

export const openTransfer = openTransferOf('esbpp.openTransfer', 'deviceMaker', [
  'bppRequest',
  'profileLoadingReport',
]);
