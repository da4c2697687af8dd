import type { Bytes } from '../../codec/bytes.ts';
import { readTlv } from '../../codec/tlv.ts';
import type { Curve, PublicKey } from '../../crypto/curves.ts';
import { readPoint } from '../../crypto/ec-key-forms.ts';

const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

/**
 * The public point of a CKA_EC_POINT. PKCS#11 v2.40 section 2.3.3 has it as the DER of an OCTET STRING around the point;
 * some tokens put a BIT STRING around it as in certificates, or nothing. All of these begin as points do: which it is, the
 * length tells.
 */
export function readEcPoint(curve: Curve, attribute: Bytes): PublicKey {
  return readPoint(curve, unwrapped(curve, attribute));
}

function unwrapped(curve: Curve, attribute: Bytes): Bytes {
  const lengths = [curve.pointLength, 1 + curve.coordinateLength];
  if (lengths.includes(attribute.length)) return attribute;
  const { tag, raw, value } = readTlv(attribute);
  if (raw.length !== attribute.length) return attribute;
  if (tag === OCTET_STRING) return value;
  return tag === BIT_STRING && value[0] === 0 ? value.subarray(1) : attribute;
}
