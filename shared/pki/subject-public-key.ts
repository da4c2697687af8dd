import { type Bytes, toHex } from '../codec/bytes.ts';
import { POINT_LENGTH, SUITES, type Suite, toSpki } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';

/** SubjectPublicKeyInfo (RFC 5480) of a suite: everything before the point is one constant per curve. */
export interface SubjectPublicKey {
  readonly suite: Suite;
  /** 65 octets, not yet checked to lie on the curve: `suite.publicKey(point)` does that. */
  readonly point: Bytes;
}

const prefixes = SUITES.map((suite) => {
  const whole = toSpki({ suite, point: Buffer.alloc(POINT_LENGTH) });
  return { suite, prefix: whole.subarray(0, whole.length - POINT_LENGTH) };
});

/** Refuses every other key type, curve parameters in place of a named curve, and points of another form. */
export function splitSpki(spki: Bytes): SubjectPublicKey {
  for (const { suite, prefix } of prefixes) {
    if (
      spki.length === prefix.length + POINT_LENGTH &&
      Buffer.compare(spki.subarray(0, prefix.length), prefix) === 0
    )
      return { suite, point: spki.subarray(prefix.length) };
  }
  return refuse(
    'securityConfiguration',
    `the key is not an uncompressed point of a supported named curve: ${toHex(spki.subarray(0, 32))}`,
  );
}
