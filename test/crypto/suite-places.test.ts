import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CURVES } from '../../shared/crypto/curves.ts';
import { channelOf, SUITES, type Suite } from '../../shared/crypto/suite.ts';
import { SUITES as SIM_SUITES } from '../../sim/suite.ts';
import packages from '../vectors/bound-profile-packages.json' with { type: 'json' };

/** Where a suite has to stand beside its row (CONTRIBUTING.md, "Add a suite"): whatever is missing is named. */
const documented = readFileSync(new URL('../../docs/pre-sgp42.md', import.meta.url), 'utf8');

const hex = (octet: number) => octet.toString(16).padStart(2, '0');

function lineOf({ name, oid, curve, oneTimeKeyLength, channel }: Suite): string {
  const ciphertext = channel.ciphertext === undefined ? '–' : `${channel.ciphertext.length}`;
  return `| \`${name}\` | ${oid} | \`${curve.name}\` | ${oneTimeKeyLength} | ${hex(channel.keyType)} | ${channel.smdpOtpkLength} | ${ciphertext} |`;
}

describe.each(SUITES)('the suite $name', (suite) => {
  it('has an object identifier and a name that no other has', () => {
    const others = SUITES.filter((other) => other !== suite);
    expect(others.filter(({ name, oid }) => name === suite.name || oid === suite.oid)).toEqual([]);
  });

  it('signs on a curve of the table of curves', () => {
    expect(CURVES).toContain(suite.curve);
  });

  it('shares its key type with suites of the same form alone', () => {
    expect(channelOf(suite.channel.keyType, suite.channel.keyLength)).toEqual(suite.channel);
  });

  it('has its line in the table of docs/pre-sgp42.md', () => {
    expect(documented.split('\n')).toContain(lineOf(suite));
  });

  it('has Bound Profile Packages of another implementation, in both modes', () => {
    const modes = packages.vectors.filter(({ curve }) => curve === suite.name).map(({ mode }) => mode);
    expect(modes.sort()).toEqual(['ppk', 'session']);
  });

  it('is known to the counterparts in sim/, by an object identifier written there again', () => {
    expect(Object.entries(SIM_SUITES).map(([name, { oid }]) => [name, oid])).toContainEqual([
      suite.name,
      suite.oid,
    ]);
  });
});
