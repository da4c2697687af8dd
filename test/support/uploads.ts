import { createHash } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import type { TransferPurpose } from '../../shared/service/api/transfers.ts';
import type { ObjectRef } from '../../shared/vault/vault.ts';
import { DEVICE_MAKER } from './deployment.ts';

/** Opens a transfer and puts its content where the HTTP of an upload would; the transferId. */
export async function sendUpload(
  runtime: Runtime,
  caller: Caller,
  purpose: TransferPurpose,
  content: Bytes,
): Promise<string> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const opening = { purpose, size: content.length, sha256 };
  const { transferId } = await runtime.services.transfers.openTransfer(caller, opening);
  await runtime.context.vault.put(`uploads/${transferId}`, content);
  return transferId;
}

/** As an operation is given it that names the transfer. */
export async function receiveUpload(
  runtime: Runtime,
  caller: Caller,
  purpose: TransferPurpose,
  content: Bytes,
): Promise<ObjectRef> {
  const transferId = await sendUpload(runtime, caller, purpose, content);
  return await runtime.services.transfers.receivedObject(caller, transferId, purpose);
}

export const uploadedRequest = (runtime: Runtime, content: Bytes): Promise<ObjectRef> =>
  receiveUpload(runtime, DEVICE_MAKER, 'bppRequest', content);
