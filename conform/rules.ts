/** A rule that an implementation of the other side is held against. */
export interface Rule {
  /** What must be so, as a sentence. */
  readonly says: string;
  /** The document that says so, and its section. */
  readonly document: string;
  readonly section: string;
  /** What whoever does not follow it can do. */
  readonly wayOut: string;
}

/** Rules by their stable identifiers, in the order in which they are told. */
export type Rules<Id extends string = string> = Readonly<Record<Id, Rule>>;

export const DOCUMENT = {
  asn1: 'shared/ifpp-draft1/ifpp-draft1.asn',
  openapi: 'shared/ifpp-draft1/openapi.yaml',
  draft: 'docs/pre-sgp42.md',
  sgp22: 'SGP.22',
  sgp26: 'SGP.26',
  sgp29: 'SGP.29',
  sgp41: 'SGP.41',
  x690: 'ITU-T X.690',
  itu118: 'ITU-T E.118',
  rfc5280: 'RFC 5280',
  rfc7515: 'RFC 7515',
  rfc8446: 'RFC 8446',
} as const;
