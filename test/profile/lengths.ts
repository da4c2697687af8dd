import { LONG } from '../support/effort.ts';

/** Octets of a profile in one segment (SGP.22 section 2.5.2: 1020 less tag, length and MAC). */
const SEGMENT = 1007;

/** Lengths of profiles from 1 to 5000 octets: each in the long run, else each thirteenth and those about a whole segment. */
export const PROFILE_LENGTHS: readonly number[] = Array.from({ length: 5000 }, (_, i) => i + 1).filter(
  (length) => LONG || length % 13 === 0 || (length + 3) % SEGMENT < 6,
);
