import type { TlvReader } from '../../codec/tlv.ts';
import type { NameAttribute } from '../name.ts';
import { readGeneralName } from './general-name.ts';

/**
 * NameConstraints (RFC 5280 section 4.2.1.10) as EUM certificates of variant O have it: permitted directory names.
 * How their serialNumber limits EIDs is in ../eid-limit.ts. Excluded subtrees and other name forms have no meaning
 * for an EUM that we could enforce, so they are refused.
 */
export type NameConstraints = readonly (readonly NameAttribute[])[];

export function decodeNameConstraints(reader: TlvReader): NameConstraints {
  const constraints = reader.enter(0x30, 'nameConstraints');
  const permitted = constraints.enter(0xa0, 'permittedSubtrees');
  const subtrees: (readonly NameAttribute[])[] = [];
  do {
    const subtree = permitted.enter(0x30, 'GeneralSubtree');
    const element = subtree.peek();
    const base = readGeneralName(subtree);
    if (base.form !== 'directoryName')
      return subtree.refuse(element!, 'only directory names are supported in nameConstraints');
    readDefaultMinimum(subtree);
    subtree.end();
    subtrees.push(base.attributes);
  } while (!permitted.done);
  const excluded = constraints.optional(0xa1);
  if (excluded !== undefined)
    constraints.refuse(excluded, 'excludedSubtrees are not supported in nameConstraints');
  constraints.end();
  return subtrees;
}

/** minimum DEFAULT 0, which no CA should write (RFC 5280 section 4.2.1.10) and some do; a maximum is left to refuse. */
function readDefaultMinimum(subtree: TlvReader): void {
  const minimum = subtree.optional(0x80);
  if (minimum !== undefined && (minimum.value.length !== 1 || minimum.value[0] !== 0))
    subtree.refuse(minimum, 'the minimum of a subtree is 0');
}
