import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keyBackends } from '../../shared/keys/backends.ts';
import { KEY_SCHEMES, type KeyScheme } from '../../shared/keys/uri.ts';

/** The recipe "a key backend" of CONTRIBUTING.md. What is missing in one of its places is named by the scheme. */
const openers = keyBackends({ nodeEnv: undefined, env: {} });
const docs = readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8');

/** What keeps a backend from the contract suite. */
const NO_CONTRACT: Readonly<Partial<Record<KeyScheme, string>>> = {
  pem: 'reads keys and makes none, which the suite begins with; backends.test.ts and registry.test.ts use it',
};

describe.each(KEY_SCHEMES)('%s', (scheme) => {
  it('has a backend: shared/keys/SCHEME.ts, opened by keyBackends', () => {
    expect(existsSync(new URL(`../../shared/keys/${scheme}.ts`, import.meta.url))).toBe(true);
    expect(Object.keys(openers)).toContain(scheme);
  });

  it('runs the contract suite in SCHEME.contract.test.ts, or says why it cannot', () => {
    const file = new URL(`${scheme}.contract.test.ts`, import.meta.url);
    const runs = existsSync(file) && readFileSync(file, 'utf8').includes('keyProviderContract({');
    expect(runs).toBe(NO_CONTRACT[scheme] === undefined);
  });

  it('has a row for its URI and one for its abilities in docs/keys.md', () => {
    const rows = docs.split('\n').filter((line) => line.startsWith('| '));
    expect(rows.filter((row) => row.includes(`| \`${scheme}:`))).toHaveLength(1);
    const abilities = rows.filter(
      (row) => row.toLowerCase().startsWith(`| ${scheme} | `) && /\| (yes|–) \|/.test(row),
    );
    expect(abilities).toHaveLength(1);
  });
});

it('no backend is opened for a scheme that no URI has', () => {
  expect(Object.keys(openers).sort()).toEqual([...KEY_SCHEMES].sort());
});
