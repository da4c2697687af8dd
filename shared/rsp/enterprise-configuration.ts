import { decodeBits, encodeBits } from '../codec/bit-string.ts';
import type { Bytes } from '../codec/bytes.ts';
import { decodeOid, encodeOid } from '../codec/oid.ts';
import { integerValue, type Tlv, tlv } from '../codec/tlv.ts';
import { present } from '../present.ts';
import { additionalFieldsOf, checkAdditionalFields, ExtensibleReader } from './extensibility.ts';
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
    /** As below. */
    readonly additionalFields?: Bytes;
  };
  /** Fields of later versions: whole TLVs, one after the other (extensibility.ts). */
  readonly additionalFields?: Bytes;
}

const TAGS = new Set([0x80, 0x81, 0xa2]);
const RULE_TAGS = new Set([0x80, 0x81]);

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
        checkAdditionalFields(rules.additionalFields, RULE_TAGS),
      ),
    checkAdditionalFields(value.additionalFields, TAGS),
  );
}

export function readEnterpriseConfiguration(element: Tlv, path: string): EnterpriseConfiguration {
  const unknown: Tlv[] = [];
  const reader = new ExtensibleReader(element, path, TAGS, unknown);
  const enterpriseOid = decodeOid(reader.expect(0x80, 'enterpriseOid').value);
  const enterpriseName = reader.text(0x81, 'enterpriseName', 64);
  const enterpriseRules = reader.done
    ? undefined
    : readEnterpriseRules(reader.expect(0xa2, 'enterpriseRules'), reader.path);
  reader.end();
  const additionalFields = additionalFieldsOf(unknown);
  return { enterpriseOid, enterpriseName, ...present({ enterpriseRules, additionalFields }) };
}

function readEnterpriseRules(element: Tlv, path: string): EnterpriseConfiguration['enterpriseRules'] {
  const unknown: Tlv[] = [];
  const rules = new ExtensibleReader(element, path, RULE_TAGS, unknown);
  const enterpriseRuleBits = decodeBits(
    rules.expect(0x80, 'enterpriseRuleBits').value,
    'enterpriseRuleBits',
    32,
  );
  const numberOfNonEnterpriseProfiles = rules.integer(0x81, 'numberOfNonEnterpriseProfiles');
  rules.end();
  const additionalFields = additionalFieldsOf(unknown);
  return { enterpriseRuleBits, numberOfNonEnterpriseProfiles, ...present({ additionalFields }) };
}
