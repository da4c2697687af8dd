import { describe, expect, it } from 'vitest';
import { parseRuntimeConfig } from '../../shared/runtime-config.ts';
import { nearest } from '../../shared/service/records/nearest.ts';

const good = {
  deployment: 'd',
  address: 'smdpf.example.com',
  ledger: 'sqlite:/l',
  vault: 'file:/v',
  ppks: 'file:/p',
  keys: { wrapping: 'softkey:path=/w', delivery: 'softkey:path=/d' },
};
const { vault: _, ...withoutVault } = good;
const parse = (config: unknown) => parseRuntimeConfig(JSON.stringify(config), 'config.json');

describe('a configuration', () => {
  it('is taken with or without its version', () => {
    expect(parse(good)).toEqual(good);
    expect(parse({ version: 1, ...good })).toEqual(good);
  });

  it.each<[string, unknown, string]>([
    [
      'a misspelt member',
      { ...withoutVault, vualt: 'file:/v' },
      'config.json: unknown member `vualt`; did you mean `vault`?',
    ],
    [
      'a misspelt member within',
      { ...good, keys: { ...good.keys, wraping: 'x' } },
      'config.json: unknown member `keys.wraping`; did you mean `keys.wrapping`?',
    ],
    [
      'a member that is near to none',
      { ...good, xyzzy: 1 },
      'config.json: unknown member `xyzzy`; known are deployment, address,',
    ],
    ['nothing at all', {}, 'config.json: the member `deployment` is missing'],
    ['a list', [], 'config.json is not a JSON object'],
    [
      'a wrong type',
      { ...good, workers: '4' },
      'config.json: there is text where a whole number is expected in the member `workers`',
    ],
    [
      'a version that is none',
      { ...good, version: '1' },
      'config.json: the member `version` is not a version such as 1',
    ],
    ['a newer version', { ...good, version: 2 }, 'config.json is of version 2, written for a newer release'],
  ])('with %s is refused in words', (_what, config, message) => {
    expect(() => parse(config)).toThrow(message);
    expect(() => parse(config)).toThrow(expect.objectContaining({ code: 'configuration' }));
  });

  it('that is not JSON is not quoted', () => {
    expect(() => parseRuntimeConfig('S3CRET', 'SMDPF_RUNTIME')).toThrow(/^SMDPF_RUNTIME is not JSON$/);
  });
});

it.each([
  ['vualt', 'vault'],
  ['Vault', 'vault'],
  ['valt', 'vault'],
  ['ledgers', 'ledger'],
  ['xyzzy', undefined],
  ['', undefined],
])('the name nearest to %j is %j', (name, known) => {
  expect(nearest(name, ['ledger', 'vault', 'keys'])).toBe(known);
});
