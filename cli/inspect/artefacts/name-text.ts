import type { NameAttribute } from '../../../shared/pki/name.ts';
import { OID } from '../../../shared/pki/oids.ts';

const ATTRIBUTE_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.commonName, 'CN'],
  [OID.serialNumber, 'serialNumber'],
  [OID.countryName, 'C'],
  [OID.organizationName, 'O'],
  [OID.organizationalUnitName, 'OU'],
]);

/** `CN=…, O=…`, in the order of the name. */
export function nameText(attributes: readonly NameAttribute[]): string {
  return attributes.map(({ type, value }) => `${ATTRIBUTE_NAMES.get(type) ?? type}=${value}`).join(', ');
}
