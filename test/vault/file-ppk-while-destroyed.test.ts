import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { FilePpkVault } from '../../shared/vault/file-ppk.ts';

/** What another process does before the next reads of this one, one for each. */
const meanwhile: (() => void)[] = [];
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const readSync = (...args: Parameters<typeof fs.readSync>) => {
    meanwhile.shift()?.();
    return fs.readSync(...args);
  };
  return { ...fs, readSync };
});

const folder = mkdtempSync(join(tmpdir(), 'smdpf-ppk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nothing = () => undefined;
const PREAMBLE = 24;
let made = 0;

/** A pack of a header and entries, and how another process overwrites some of its octets with zeros. */
async function pack(header: Uint8Array, entries: readonly Uint8Array[]) {
  const vault = await FilePpkVault.open(join(folder, String(made++)));
  await vault.putPack('pack', header, entries);
  const packs = join(folder, String(made - 1), 'packs');
  const path = join(packs, readdirSync(packs)[0]!);
  const zero = (from: number, to: number) => () =>
    writeFileSync(path, readFileSync(path).fill(0, from, to), { flag: 'r+' });
  return { vault, zero, length: readFileSync(path).length };
}

describe('a pack that another process destroys while it is read is one that is gone, not one that is damaged', {
  tags: ['I5', 'I11'],
}, () => {
  it('where its preamble was read before: no data key of zeros is taken for a stored one', async () => {
    const { vault, zero, length } = await pack(randomBytes(60), []);
    meanwhile.push(nothing, zero(0, length));
    expect(await vault.header('pack')).toBeUndefined();
  });

  it('where half of its preamble was overwritten by then', async () => {
    const { vault, zero, length } = await pack(randomBytes(60), []);
    meanwhile.push(zero(0, 10), zero(0, length));
    expect(await vault.header('pack')).toBeUndefined();
  });

  it('where half of an entry was overwritten by then', async () => {
    const [kept, gone] = [randomBytes(76), randomBytes(76)];
    const { vault, zero, length } = await pack(randomBytes(8), [kept, gone]);
    const slot = length - 88;
    meanwhile.push(nothing, nothing, zero(slot, slot + 40), zero(slot, length));
    const [first, second] = await vault.entries('pack', [0, 1]);
    expect(second).toBeUndefined();
    expect(Buffer.from(first!).equals(kept)).toBe(true);
  });

  it('and one that stays as it is not written is damaged', async () => {
    const { vault, zero } = await pack(randomBytes(60), [randomBytes(76)]);
    zero(PREAMBLE, PREAMBLE + 10)();
    await expect(vault.header('pack')).rejects.toMatchObject({ code: 'vault' });
    await expect(vault.entries('pack', [0])).rejects.toMatchObject({ code: 'vault' });
  });
});
