import { type RecordOf, recordOf } from './record.ts';
import { integer, number, oneOf, optional, text, whole } from './schema.ts';

/** A client certificate in the register, named by its SHA-256. */
export const partyRecord = recordOf('party', {
  identifier: text,
  role: oneOf('eum', 'deviceMaker', 'operator', 'auditor', 'viewer', 'administrator'),
  name: optional(text),
  /** Milliseconds since 1970. */
  addedAt: whole,
  revokedAt: optional(whole),
  /** It calls no more until it is resumed. */
  suspendedAt: optional(whole),
  /** The last second of the certificate's validity, for people: what counts is the certificate that calls. */
  notAfterMs: optional(whole),
});

export type PartyRecord = RecordOf<typeof partyRecord>;

/** What a party may still call at a moment, over all processes. */
export const bucketRecord = recordOf('rate', {
  tokens: number,
  /** Milliseconds since 1970, by a clock that may have been set back. */
  at: integer,
});
