import { commandsOf } from './load-profile.ts';
import type { Package } from './station.ts';

/**
 * Published figures, of which a line of its own has better ones after its first hundred devices: 1.07 ms for each APDU and 62 µs
 * for each octet at the reader; about 18 s for a whole LoadBPP on a real card, which is its own work on the package.
 */
export const PUBLISHED = { apduMs: 1.07, octetMs: 0.062, cardMs: 18_000 } as const;

export interface Estimate {
  readonly packages: number;
  readonly apdus: number;
  readonly octets: number;
  /** Milliseconds at the reader alone. */
  readonly readerMs: number;
  /** Milliseconds with the work of the cards: whichever is longer for each package. */
  readonly cardMs: number;
}

/** How long the packages take on one reader. Answers are short, and counted as their APDUs. */
export function estimate(packages: readonly Package[]): Estimate {
  let apdus = 0;
  let octets = 0;
  let cardMs = 0;
  for (const { bound, chain } of packages) {
    const commands = commandsOf(bound, chain);
    const length = commands.reduce((sum, apdu) => sum + apdu.length, 0);
    apdus += commands.length;
    octets += length;
    cardMs += Math.max(PUBLISHED.cardMs, readerTime(commands.length, length));
  }
  return { packages: packages.length, apdus, octets, readerMs: readerTime(apdus, octets), cardMs };
}

const readerTime = (apdus: number, octets: number) => apdus * PUBLISHED.apduMs + octets * PUBLISHED.octetMs;
