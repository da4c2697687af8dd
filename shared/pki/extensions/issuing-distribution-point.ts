import type { TlvReader } from '../../codec/tlv.ts';
import { refuse } from '../../errors.ts';
import { readDefaultFalse } from '../der.ts';
import { distributionPointUris } from './crl-distribution-points.ts';

/** IssuingDistributionPoint (RFC 5280 section 5.2.5): which of its issuer's certificates a list speaks of. */
export interface IssuingDistributionPoint {
  readonly covers: 'all' | 'userCerts' | 'caCerts';
  /** Where the list is published; empty where it does not say. */
  readonly uris: readonly string[];
}

/** Refuses lists for attribute certificates, for some reasons only, and indirect ones. */
export function decodeIssuingDistributionPoint(reader: TlvReader): IssuingDistributionPoint {
  const point = reader.enter(0x30, 'issuingDistributionPoint');
  const named = point.optional(0xa0);
  const uris = named === undefined ? [] : distributionPointUris(named, point.path);
  const onlyUserCerts = readDefaultFalse(point, 0x81);
  const onlyCaCerts = readDefaultFalse(point, 0x82);
  if (point.peek()?.tag === 0x83) refuse('crlInvalid', 'a list for some reasons only is not supported');
  if (readDefaultFalse(point, 0x84)) refuse('crlInvalid', 'an indirect list is not supported');
  if (readDefaultFalse(point, 0x85))
    refuse('crlInvalid', 'a list of attribute certificates is not supported');
  point.end();
  if (onlyUserCerts && onlyCaCerts) refuse('crlInvalid', 'the scope of the list contradicts itself');
  return { covers: onlyUserCerts ? 'userCerts' : onlyCaCerts ? 'caCerts' : 'all', uris };
}
