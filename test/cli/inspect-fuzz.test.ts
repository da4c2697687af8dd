import { describe, expect, it } from 'vitest';
import { inspect, inspectArtefact } from '../../cli/inspect/inspect.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';
import { truncations } from '../support/mutations.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { onlyRefuses } from '../support/refusal.ts';
import { oneOfEach } from './support/artefacts.ts';

const MUTATIONS = effort({ short: 500, long: 10_000 });

const artefacts = new Map([...(await oneOfEach()), ['own template', ownTemplate()]]);

/** One to four octets overwritten, put in or taken out. */
function mutate(octets: Uint8Array, below: (limit: number) => number): Uint8Array {
  const result = [...octets];
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const at = below(result.length);
    const kind = below(4);
    if (kind === 0) result.splice(at, 0, below(256));
    else if (kind === 1) result.splice(at, 1);
    else result[at] = below(256);
  }
  return Uint8Array.from(result);
}

describe('smdpf inspect on damaged octets: a description or a typed refusal, nothing else', () => {
  it.each([...artefacts.keys()])('%s: every truncation', (kind) => {
    const octets = artefacts.get(kind)!;
    count('cuts', octets.length);
    for (const cut of truncations(octets)) {
      const outcome = onlyRefuses(() => inspect(cut));
      // a package of whole elements is a package, and a softkey tells its header without the rest
      if (!['profilePackage', 'own template', 'softkey'].includes(kind)) expect(outcome).toBe('refused');
    }
  });

  it.each([...artefacts.keys()])(`%s: ${MUTATIONS} mutations`, (kind) => {
    const octets = artefacts.get(kind)!;
    const below = randomNumbers(0x5a17 + octets.length);
    const seen = { accepted: 0, refused: 0 };
    for (let made = 0; made < MUTATIONS; made++)
      seen[onlyRefuses(() => inspectArtefact(mutate(octets, below)))]++;
    expect(seen.accepted + seen.refused).toBe(MUTATIONS);
    count('mutations', MUTATIONS);
    expect(seen.refused).toBeGreaterThan(0);
  });
});
