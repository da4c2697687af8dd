import type { Bytes } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { Caller } from '../service/api/caller.ts';
import type { Services } from '../service/api/services.ts';
import type { TransferPurpose } from '../service/api/transfers.ts';
import type { ObjectRef } from '../vault/vault.ts';

/** The object itself or the transfer that carried it, which is opened for the member's name: exactly one is in the body. */
export async function inlineOrTransferred(
  services: Services,
  caller: Caller,
  purpose: Exclude<TransferPurpose, 'euiccData'>,
  inline: Bytes | undefined,
  transferId: string | undefined,
): Promise<Bytes> {
  requireOneOf(purpose, inline, transferId);
  return inline ?? (await services.transfers.received(caller, transferId!, purpose));
}

/** The same for a function that reads a large object where it lies. */
export async function inlineOrObject(
  services: Services,
  caller: Caller,
  { name, purpose }: { name: string; purpose: TransferPurpose },
  inline: Bytes | undefined,
  transferId: string | undefined,
): Promise<Bytes | ObjectRef> {
  requireOneOf(name, inline, transferId);
  return inline ?? (await services.transfers.receivedObject(caller, transferId!, purpose));
}

function requireOneOf(name: string, inline: Bytes | undefined, transferId: string | undefined): void {
  if ((inline === undefined) === (transferId === undefined))
    refuse(
      inline === undefined ? 'mandatoryElementMissing' : 'protocolFormat',
      `the body has exactly one of ${name} and transferId`,
    );
}
