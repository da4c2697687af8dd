import { openTransferOf } from '../common/open-transfer.ts';

export const openTransfer = openTransferOf('es2f.openTransfer', 'operator', ['template', 'rows']);
