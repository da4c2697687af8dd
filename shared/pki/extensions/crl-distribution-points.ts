import { type Tlv, TlvReader } from '../../codec/tlv.ts';
import { readGeneralNames } from './general-name.ts';

/**
 * CRLDistributionPoints (RFC 5280 section 4.2.1.13): the URIs of all points. Lists of another issuer and lists for
 * some reasons only are not used by SGP.22 and refused, since following them half would miss revocations.
 */
export function decodeCrlDistributionPoints(reader: TlvReader): string[] {
  const points = reader.enter(0x30, 'cRLDistributionPoints');
  const uris: string[] = [];
  do {
    const point = points.enter(0x30, 'DistributionPoint');
    uris.push(...distributionPointUris(point.expect(0xa0, 'distributionPoint'), point.path));
    point.end();
  } while (!points.done);
  return uris;
}

/** The URIs of a DistributionPointName by fullName. */
export function distributionPointUris(element: Tlv, path: string): string[] {
  const name = TlvReader.of(element, path);
  const uris: string[] = [];
  for (const part of readGeneralNames(name.enter(0xa0, 'fullName')))
    if (part.form === 'uniformResourceIdentifier') uris.push(part.text);
  name.end();
  return uris;
}
