import { type RecordOf, recordOf } from './record.ts';
import { flag, list, object, oneOf, optional, type TypeOf, text, whole } from './schema.ts';

/** An upload that a party may make, or has made. */
export const transferRecord = recordOf('transfer', {
  purpose: oneOf('euiccData', 'bppRequest', 'profileLoadingReport', 'template', 'rows', 'crl'),
  /** Of the vault object. */
  name: text,
  /** Octets. */
  size: whole,
  /** Lower-case hexadecimal. */
  sha256: text,
  /** Milliseconds since 1970. */
  openedAt: whole,
  /** Milliseconds since 1970: when it goes, unless it is in use. */
  dueAt: whole,
  /** What was taken on names it, and reads it where it lies. */
  inUse: optional(flag),
  /** Version of the object, where its content was used up and is gone. */
  destroyed: optional(text),
});

export type TransferRecord = RecordOf<typeof transferRecord>;

const openUpload = object({
  transferId: text,
  /** Octets, as announced. */
  size: whole,
  /** Milliseconds since 1970. */
  openedAt: whole,
});

export type OpenUpload = TypeOf<typeof openUpload>;

/** The uploads of a party that were granted and are not over. */
export const openUploadsRecord = recordOf('open uploads', { uploads: list(openUpload) });
