import { TlvReader } from '../../codec/tlv.ts';

const PREFIX = /^[0-9]{1,32}$/;

/**
 * permittedEins (2.23.146.1.2.2.0, SGP.22 v3): SEQUENCE OF PrintableString, each an EUM Identification Number, that
 * is a prefix of EIDs. SGP.29 lets its length vary.
 */
export function decodePermittedEins(reader: TlvReader): string[] {
  const element = reader.expect(0x30, 'permittedEins');
  const list = TlvReader.of(element, reader.path);
  const eins: string[] = [];
  while (!list.done) {
    const ein = list.text(0x13, 'EIN', 32);
    if (!PREFIX.test(ein)) reader.refuse(element, 'an EIN is 1 to 32 digits');
    eins.push(ein);
  }
  return eins;
}
