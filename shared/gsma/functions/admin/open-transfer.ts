import { openTransferOf } from '../common/open-transfer.ts';

export const openTransfer = openTransferOf('admin.openTransfer', 'administrator', ['crl']);
