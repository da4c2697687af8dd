import type { Bytes } from '../../codec/bytes.ts';
import type { LinkHolder, ObjectRef } from '../../vault/vault.ts';
import type { Caller } from './caller.ts';

/** What an upload is for. */
export const TRANSFER_PURPOSES = [
  'euiccData',
  'bppRequest',
  'profileLoadingReport',
  'template',
  'rows',
  'crl',
] as const;
export type TransferPurpose = (typeof TRANSFER_PURPOSES)[number];

/** A link that somebody uses, by what it was made for. */
export interface UsedLink {
  readonly operation: 'download' | 'upload';
  readonly holder: LinkHolder | undefined;
  /** Of the vault object. */
  readonly name: string;
}

export interface OpenedTransfer {
  readonly transferId: string;
  readonly uploadUrl: string;
  /** Headers that the upload is refused without. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Bodies and answers above the inline limit move as objects bound to size and SHA-256. */
export interface Transfers {
  /** Where and with which headers to upload exactly this content; the transferId is then given to a function in place of the body. */
  openTransfer(
    caller: Caller,
    input: {
      purpose: TransferPurpose;
      size: number;
      sha256: string;
    },
  ): Promise<OpenedTransfer>;
  /** The octets that were uploaded for this purpose under a transferId of this caller. */
  received(caller: Caller, transferId: string, purpose: TransferPurpose): Promise<Bytes>;
  /** The same as an object, for what is too large to be held; of rows that were used up only size and hash are left. */
  receivedObject(caller: Caller, transferId: string, purpose: TransferPurpose): Promise<ObjectRef>;
  /**
   * Refuses a link that this caller may not use now: another party's, one whose answer has no such part any more since
   * trust was withdrawn from its eUICC or EUM, one to fill what was used already.
   */
  requireMayUse(caller: Caller, link: UsedLink): Promise<void>;
  /** A URL to download a part of an answer of this caller. */
  getTransfer(
    caller: Caller,
    input: { requestId: string; name: string },
  ): Promise<{ downloadUrl: string; size: number; sha256: string }>;
}
