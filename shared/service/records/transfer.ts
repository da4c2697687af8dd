import { type RecordOf, recordOf } from './record.ts';
import { oneOf, optional, text, whole } from './schema.ts';

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
  /** Version of the object, where its content was used up and is gone. */
  destroyed: optional(text),
});

export type TransferRecord = RecordOf<typeof transferRecord>;
