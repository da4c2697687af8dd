import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import { TlvReader } from '../codec/tlv.ts';
import { CURVES, type Curve, toSpki } from '../crypto/curves.ts';
import { refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';

/** SubjectPublicKeyInfo (RFC 5480) of a curve: everything before the point is one constant per curve. */
export interface SubjectPublicKey {
  readonly curve: Curve;
  /** `pointLength` octets, not yet checked to lie on the curve: `curve.publicKey(point)` does that. */
  readonly point: Bytes;
}

const algorithmOf = (spki: Bytes): Bytes =>
  new TlvReader(spki).enter(0x30, 'SubjectPublicKeyInfo').next('algorithm').raw;

const forms = CURVES.map((curve) => ({
  curve,
  algorithm: algorithmOf(toSpki({ curve, point: Buffer.alloc(curve.pointLength) })),
}));

/**
 * Refuses other key types, other curves and curve parameters in place of a named curve as `securityConfiguration`,
 * and what is no uncompressed point of its curve's length as `refusedAs`.
 */
export function splitSpki(spki: Bytes, refusedAs: StatusName): SubjectPublicKey {
  for (const { curve } of forms) {
    const { spkiPrefix, pointLength } = curve;
    if (
      spki.length === spkiPrefix.length + pointLength &&
      equal(spki.subarray(0, spkiPrefix.length), spkiPrefix)
    )
      return { curve, point: spki.subarray(spkiPrefix.length) };
  }
  const algorithm = algorithmOf(spki);
  const known = forms.find((form) => equal(form.algorithm, algorithm));
  if (known !== undefined)
    refuse(refusedAs, `the public key is not an uncompressed point of ${known.curve.pointLength} octets`);
  return refuse(
    'securityConfiguration',
    `no curve of ours has the key algorithm ${toHex(algorithm.subarray(0, 64))}`,
  );
}
