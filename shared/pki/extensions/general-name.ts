import { type Tlv, TlvReader } from '../../codec/tlv.ts';
import { type NameAttribute, nameAttributes } from '../name.ts';
import { readOid } from '../oids.ts';

const MAX_IA5 = 1024;
const ELSEWHERE = new Set([0xa0, 0x81, 0xa3, 0xa5, 0x87]);

/** GeneralName (RFC 5280 section 4.2.1.6) in the forms that GSMA certificates use; the others are only named. */
export type GeneralName =
  | { readonly form: 'registeredID' | 'dNSName' | 'uniformResourceIdentifier'; readonly text: string }
  | { readonly form: 'directoryName'; readonly attributes: readonly NameAttribute[] }
  | { readonly form: 'other' };

export function readGeneralName(reader: TlvReader): GeneralName {
  const element = reader.next('GeneralName');
  switch (element.tag) {
    case 0x88:
      return { form: 'registeredID', text: readOid(element) };
    case 0x82:
      return { form: 'dNSName', text: ia5(reader, element) };
    case 0x86:
      return { form: 'uniformResourceIdentifier', text: ia5(reader, element) };
    case 0xa4: {
      // Name is a CHOICE, so the tag is explicit
      const inside = TlvReader.of(element, reader.path);
      const attributes = nameAttributes(inside.expect(0x30, 'directoryName'), inside.path);
      inside.end();
      return { form: 'directoryName', attributes };
    }
    default:
      if (!ELSEWHERE.has(element.tag)) reader.refuse(element, 'not a GeneralName');
      return { form: 'other' };
  }
}

/** GeneralNames: the children of a constructed element, at least one. */
export function readGeneralNames(names: TlvReader): GeneralName[] {
  const found: GeneralName[] = [];
  do found.push(readGeneralName(names));
  while (!names.done);
  return found;
}

function ia5(reader: TlvReader, element: Tlv): string {
  const { value } = element;
  if (value.length === 0 || value.length > MAX_IA5) reader.refuse(element, `not 1 to ${MAX_IA5} octets`);
  for (const octet of value)
    if (octet < 0x21 || octet > 0x7e) reader.refuse(element, 'not a visible IA5String');
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
}
