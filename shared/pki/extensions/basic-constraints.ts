import type { TlvReader } from '../../codec/tlv.ts';
import { readDefaultFalse, readSmallNumber } from '../der.ts';

/** BasicConstraints (RFC 5280 section 4.2.1.9). */
export interface BasicConstraints {
  readonly cA: boolean;
  /** How many CA certificates may follow below; without limit where absent. */
  readonly pathLenConstraint?: number;
}

export function decodeBasicConstraints(reader: TlvReader): BasicConstraints {
  const constraints = reader.enter(0x30, 'basicConstraints');
  const cA = readDefaultFalse(constraints);
  const limited = constraints.peek()?.tag === 0x02;
  if (limited && !cA) constraints.refuse(constraints.next(), 'pathLenConstraint is for CA certificates');
  const pathLenConstraint = limited ? readSmallNumber(constraints, 'pathLenConstraint') : undefined;
  constraints.end();
  return pathLenConstraint === undefined ? { cA } : { cA, pathLenConstraint };
}
