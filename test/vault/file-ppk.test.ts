import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { FilePpkVault } from '../../shared/vault/file-ppk.ts';
import { count } from '../support/counts.ts';
import { ppkVaultContract } from './contract.ts';

const root = mkdtempSync(join(tmpdir(), 'smdpf-ppk-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const newFolder = () => join(root, `${folders++}`);

const contractFolder = newFolder();
ppkVaultContract('file PPK vault', () => FilePpkVault.open(contractFolder));

/** How many of these entries have any 12 octets in a row left in any file of the folder. */
function traces(folder: string, entries: readonly Uint8Array[]): number {
  const content = Buffer.concat(filesBelow(folder).map((path) => readFileSync(path)));
  const windows = new Set<string>();
  for (let start = 0; start + 12 <= content.length; start++) {
    windows.add(content.toString('latin1', start, start + 12));
  }
  const leaves = (entry: Uint8Array) => {
    const text = Buffer.from(entry).toString('latin1');
    return Array.from({ length: text.length - 11 }, (_, i) => text.slice(i, i + 12)).some((w) =>
      windows.has(w),
    );
  };
  return entries.filter(leaves).length;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

describe('file PPK vault', () => {
  it('what is destroyed leaves no trace in any file; what is not stays', {
    tags: ['I5', 'GENS06'],
  }, async () => {
    const folder = newFolder();
    const vault = await FilePpkVault.open(folder);
    const packs = Array.from({ length: 8 }, (_, i) => ({
      name: `order/${i}`,
      entries: Array.from({ length: 250 }, () => randomBytes(76)),
    }));
    for (const { name, entries } of packs) await vault.putPack(name, randomBytes(64), entries);
    expect(
      traces(
        folder,
        packs.flatMap(({ entries }) => entries),
      ),
    ).toBe(2_000);

    const odd = Array.from({ length: 125 }, (_, i) => 2 * i + 1);
    for (const { name } of packs) await vault.destroy(name, odd);
    expect(
      traces(
        folder,
        packs.flatMap(({ entries }) => entries.filter((_, i) => i % 2 === 1)),
      ),
    ).toBe(0);
    expect(
      traces(
        folder,
        packs.flatMap(({ entries }) => entries.filter((_, i) => i % 2 === 0)),
      ),
    ).toBe(1_000);

    for (const { name } of packs) await vault.destroyPack(name);
    expect(
      traces(
        folder,
        packs.flatMap(({ entries }) => entries),
      ),
    ).toBe(0);
  });

  it('a pack that came second leaves no trace', async () => {
    const folder = newFolder();
    const vault = await FilePpkVault.open(folder);
    const second = Array.from({ length: 50 }, () => randomBytes(76));
    await vault.putPack('pack', randomBytes(8), [randomBytes(76)]);
    await vault.putPack('pack', randomBytes(8), second);
    expect(traces(folder, second)).toBe(0);
  });

  it('a process killed while it destroys: what it told as destroyed has no trace, and it can be finished', async () => {
    const folder = newFolder();
    const entries = Array.from({ length: 2_000 }, () => randomBytes(76));
    await (await FilePpkVault.open(folder)).putPack('pack', randomBytes(64), entries);

    const destroyer = new URL('ppk-destroyer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [destroyer, folder, 'pack', '2000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told: number[] = [];
    for await (const line of createInterface(child.stdout)) {
      told.push(Number(line));
      if (told.length !== 301) continue;
      child.kill('SIGKILL');
      count('kills', 1);
    }
    expect(told.length).toBeGreaterThan(300);
    expect(told.length).toBeLessThan(1_990);
    expect(
      traces(
        folder,
        told.map((position) => entries[position]!),
      ),
    ).toBe(0);

    const vault = await FilePpkVault.open(folder);
    const last = await vault.entries('pack', [1_998, 1_999]);
    expect(last.map((entry) => Buffer.from(entry!))).toEqual(entries.slice(-2));
    await vault.destroy(
      'pack',
      entries.map((_, i) => i),
    );
    expect(traces(folder, entries)).toBe(0);
  });

  it('an entry that was half overwritten is a Fault when read, and can still be destroyed', async () => {
    const folder = newFolder();
    const vault = await FilePpkVault.open(folder);
    const entry = randomBytes(76);
    await vault.putPack('pack', randomBytes(8), [entry]);
    const path = filesBelow(folder)[0]!;
    const content = readFileSync(path);
    const start = content.indexOf(entry);
    writeFileSync(path, content.fill(0, start + 30, start + 60));
    await expect(vault.entries('pack', [0])).rejects.toMatchObject({ code: 'vault' });
    await vault.destroy('pack', [0]);
    expect(await vault.entries('pack', [0])).toEqual([undefined]);
  });

  it('a pack whose destruction was interrupted is unknown, and its name free', async () => {
    const folder = newFolder();
    const vault = await FilePpkVault.open(folder);
    await vault.putPack('pack', randomBytes(8), [randomBytes(76)]);
    const path = filesBelow(folder)[0]!;
    writeFileSync(path, readFileSync(path).fill(0, 0, 24));
    expect(await vault.header('pack')).toBeUndefined();
    expect(await vault.entries('pack', [0])).toEqual([undefined]);
    const entry = randomBytes(76);
    await vault.putPack('pack', randomBytes(8), [entry]);
    expect(Buffer.from((await vault.entries('pack', [0]))[0]!)).toEqual(entry);
  });

  it('a file that is no pack is a Fault', async () => {
    const folder = newFolder();
    const vault = await FilePpkVault.open(folder);
    writeFileSync(join(folder, 'packs', 'pack@'), 'this is no pack of keys at all');
    await expect(vault.header('pack')).rejects.toMatchObject({ code: 'vault' });
  });

  it('opening overwrites and removes what an interrupted put left', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'tmp'), { recursive: true });
    const left = join(folder, 'tmp', 'otherhost.1.left');
    writeFileSync(left, randomBytes(500));
    utimesSync(left, new Date(0), new Date(0));
    await FilePpkVault.open(folder);
    expect(filesBelow(folder)).toEqual([]);
  });
});
