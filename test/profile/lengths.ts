/** Octets of a profile in one segment (SGP.22 section 2.5.2: 1020 less tag, length and MAC). */
const SEGMENT = 1007;

/** Lengths of profiles from 1 to 5000 octets: each `step`-th, and all those about a whole number of segments. */
export const profileLengths = (step: number): readonly number[] =>
  Array.from({ length: 5000 }, (_, i) => i + 1).filter(
    (length) => length % step === 0 || (length + 3) % SEGMENT < 6,
  );
