import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import { TlvReader } from '../codec/tlv.ts';
import { POINT_LENGTH, SUITES, type Suite, toSpki } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';

/** SubjectPublicKeyInfo (RFC 5480) of a suite: everything before the point is one constant per curve. */
export interface SubjectPublicKey {
  readonly suite: Suite;
  /** 65 octets, not yet checked to lie on the curve: `suite.publicKey(point)` does that. */
  readonly point: Bytes;
}

const forms = SUITES.map((suite) => {
  const whole = toSpki({ suite, point: Buffer.alloc(POINT_LENGTH) });
  const algorithm = new TlvReader(whole).enter(0x30, 'SubjectPublicKeyInfo').next('algorithm').raw;
  return { suite, algorithm, prefix: whole.subarray(0, whole.length - POINT_LENGTH) };
});

/**
 * Refuses other key types, other curves and curve parameters in place of a named curve as `securityConfiguration`,
 * and what is no uncompressed point of 65 octets as `refusedAs`.
 */
export function splitSpki(spki: Bytes, refusedAs: StatusName): SubjectPublicKey {
  for (const { suite, prefix } of forms) {
    if (spki.length === prefix.length + POINT_LENGTH && equal(spki.subarray(0, prefix.length), prefix))
      return { suite, point: spki.subarray(prefix.length) };
  }
  const algorithm = new TlvReader(spki).enter(0x30, 'SubjectPublicKeyInfo').next('algorithm').raw;
  if (forms.some((form) => equal(form.algorithm, algorithm)))
    refuse(refusedAs, `the public key is not an uncompressed point of ${POINT_LENGTH} octets`);
  return refuse(
    'securityConfiguration',
    `no suite has the key algorithm ${toHex(algorithm.subarray(0, 64))}`,
  );
}
