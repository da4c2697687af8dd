import { type Bytes, utf8 } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';

/** UTF-8 of a text of at most `limit` octets; refuses lone surrogates, which have no UTF-8 form. */
export function utf8Within(name: string, text: string, limit: number): Bytes {
  if (!text.isWellFormed()) refuse('metadataInvalid', `${name} is not well-formed Unicode`);
  const octets = utf8(text);
  if (octets.length > limit) refuse('metadataInvalid', `${name} is longer than ${limit} octets of UTF-8`);
  return octets;
}
