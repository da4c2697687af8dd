import { expect, test } from 'vitest';
import { SimulatedPpks } from '../../world/stores/ppks.ts';
import { SimulatedVault } from '../../world/stores/vault.ts';

const octets = (text: string) => Uint8Array.from(Buffer.from(text));

test('whoever ends first, two damages of one object leave what was stored', () => {
  const vault = new SimulatedVault();
  for (const name of ['flipped twice', 'flipped and lost', 'lost and flipped'])
    vault.put(name, octets('stored'));
  const other = octets('other');
  const putBack = [
    [vault.damage('flipped twice', other), vault.damage('flipped twice', octets('third'))],
    [vault.damage('flipped and lost', other), vault.damage('flipped and lost', undefined)],
    [vault.damage('lost and flipped', undefined), vault.damage('lost and flipped', other)],
  ];
  for (const [first, second] of putBack) {
    first!();
    second!();
  }
  for (const name of vault.names('')) expect(vault.raw(name)).toEqual(octets('stored'));
  expect(vault.names('')).toHaveLength(3);
});

test('an entry damaged by two is put back as it was', () => {
  const ppks = new SimulatedPpks();
  ppks.putPack('pack', octets('header'), [octets('entry')]);
  const putBack = [ppks.damage('pack', 0, octets('other')), ppks.damage('pack', 0, octets('third'))];
  for (const one of putBack) one();
  expect(ppks.entries('pack', [0])).toEqual([octets('entry')]);
});
