import { decodeBits, encodeBits } from '../codec/bit-string.ts';
import type { Bytes } from '../codec/bytes.ts';
import { decodeOid, encodeOid } from '../codec/oid.ts';
import { integerValue, type TlvReader, tlv } from '../codec/tlv.ts';
import { utf8Within } from './text.ts';

/** EnterpriseConfiguration (SGP.22 v3 annex H): `80 OID`, `81 name`, `[A2 { 80 rule bits, 81 count }]`. */
export interface EnterpriseConfiguration {
  /** Dotted. */
  readonly enterpriseOid: string;
  /** At most 64 octets of UTF-8. */
  readonly enterpriseName: string;
  readonly enterpriseRules?: {
    /** Numbers of the bits that are set. */
    readonly enterpriseRuleBits: readonly number[];
    readonly numberOfNonEnterpriseProfiles: number;
  };
}

export function encodeEnterpriseConfiguration(tag: number, value: EnterpriseConfiguration): Bytes {
  const rules = value.enterpriseRules;
  return tlv(
    tag,
    tlv(0x80, encodeOid(value.enterpriseOid)),
    tlv(0x81, utf8Within('enterpriseName', value.enterpriseName, 64)),
    rules &&
      tlv(
        0xa2,
        tlv(0x80, encodeBits(rules.enterpriseRuleBits)),
        tlv(0x81, integerValue(rules.numberOfNonEnterpriseProfiles)),
      ),
  );
}

export function readEnterpriseConfiguration(reader: TlvReader): EnterpriseConfiguration {
  const enterpriseOid = decodeOid(reader.expect(0x80, 'enterpriseOid').value);
  const enterpriseName = reader.text(0x81, 'enterpriseName', 64);
  if (reader.done) return { enterpriseOid, enterpriseName };
  const rules = reader.enter(0xa2, 'enterpriseRules');
  const enterpriseRules = {
    enterpriseRuleBits: decodeBits(rules.expect(0x80, 'enterpriseRuleBits').value, 'enterpriseRuleBits', 32),
    numberOfNonEnterpriseProfiles: rules.integer(0x81, 'numberOfNonEnterpriseProfiles'),
  };
  rules.end();
  reader.end();
  return { enterpriseOid, enterpriseName, enterpriseRules };
}
