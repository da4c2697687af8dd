import { openTransferOf } from '../common/open-transfer.ts';

export const openTransfer = openTransferOf('esed1.openTransfer', 'eum', ['euiccData']);
