import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import { FileVault } from '../../shared/vault/file.ts';
import { SMALL } from '../../shared/vault/names.ts';
import type { ObjectRef } from '../../shared/vault/vault.ts';
import { count } from '../support/counts.ts';
import { chunks, collect, freshName, sha256, vaultContract } from './contract.ts';

const root = mkdtempSync(join(tmpdir(), 'smdpf-vault-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const newFolder = () => join(root, `${folders++}`);
const options = { baseUrl: 'https://smdpf.example/', transferSecret: randomBytes(32) };
const tokenOf = (url: string) => url.slice('https://smdpf.example/transfer/'.length);

const contractFolder = newFolder();
for (const [kind, folder] of [
  ['file vault', 'test/'],
  ['file vault, small objects', SMALL.commits],
] as const)
  vaultContract(kind, () => FileVault.open(contractFolder, options), {
    folder,
    ...(folder === SMALL.commits && { uploads: false, largeSize: 200_000 }),
    /** What the embedded server does with a link, without the server. */
    async fetch(url, init) {
      const vault = await FileVault.open(contractFolder, options);
      const transfer = vault.openTransfer(tokenOf(url), new Date());
      if (transfer.operation === 'download') return { status: 200, body: await collect(transfer.read()) };
      try {
        await transfer.accept(chunks(init!.body, 999));
        return { status: 200, body: new Uint8Array() };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { status: 400, body: new Uint8Array() };
      }
    },
  });

describe('file vault', () => {
  const objectFile = (folder: string, name: string, version: string) =>
    `${join(folder, 'objects', ...name.split('/'))}@/${version}`;

  it('octets that changed on the disk are a Fault, whole or streamed', async () => {
    const folder = newFolder();
    const vault = await FileVault.open(folder, options);
    const ref = await vault.put('pack', randomBytes(1_000));
    const path = objectFile(folder, 'pack', ref.version);
    const content = readFileSync(path);
    content[500]! ^= 1;
    writeFileSync(path, content);
    await expect(vault.get(ref)).rejects.toMatchObject({ code: 'vault', retryable: false });
    await expect(collect(vault.getStream(ref))).rejects.toMatchObject({ code: 'vault' });
    writeFileSync(path, content.subarray(0, 700));
    await expect(vault.get(ref)).rejects.toMatchObject({ code: 'vault' });
    writeFileSync(path, content.subarray(0, 50));
    await expect(vault.head('pack')).rejects.toMatchObject({ code: 'vault' });
  });

  it('a writer that was killed before it published leaves no name', async () => {
    const folder = newFolder();
    const vault = await FileVault.open(folder, options);
    await vault.put('records/2', Buffer.from('2'), { lock: true });
    mkdirSync(join(folder, 'objects/records/1@'));
    const names: string[] = [];
    for await (const name of vault.names('records/')) names.push(name);
    expect(names).toEqual(['records/2']);
    expect((await vault.put('records/1', Buffer.from('1'), { lock: true })).version).toBe('00000001');
  });

  it('a locked object takes no further version', async () => {
    const vault = await FileVault.open(newFolder(), options);
    await vault.put('commit', Buffer.from('1'), { lock: true });
    await expect(vault.put('commit', Buffer.from('2'))).rejects.toMatchObject({ code: 'vault' });
  });

  it('a process killed while it stores: all it told is there and whole, and opening cleans up', async () => {
    const folder = newFolder();
    const writer = new URL('vault-writer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const told: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      told.push(line);
      if (told.length !== 60) continue;
      child.kill('SIGKILL');
      count('kills', 1);
    }
    await exited;
    expect(told.length).toBeGreaterThanOrEqual(60);
    const vault = await FileVault.open(folder, options);
    for (const line of told) {
      const ref = JSON.parse(line) as ObjectRef;
      expect(sha256(await vault.get(ref))).toBe(ref.sha256);
    }
    for await (const ref of vault.list('')) expect(sha256(await vault.get(ref))).toBe(ref.sha256);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  it('opening leaves the unfinished files of living writers alone', async () => {
    const folder = newFolder();
    const vault = await FileVault.open(folder, options);
    mkdirSync(join(folder, 'tmp'), { recursive: true });
    const old = join(folder, 'tmp', 'otherhost.1.old');
    const young = join(folder, 'tmp', 'otherhost.1.young');
    for (const path of [old, young]) writeFileSync(path, 'unfinished');
    utimesSync(old, new Date(0), new Date(0));
    let opened = false;
    const slow = async function* (): AsyncGenerator<Bytes> {
      yield Buffer.from('begun ');
      await FileVault.open(folder, options);
      opened = true;
      yield Buffer.from('and ended');
    };
    const ref = await vault.putStream('slow', slow());
    expect(opened).toBe(true);
    expect(Buffer.from(await vault.get(ref)).toString()).toBe('begun and ended');
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });
});

describe('transfer links', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const open = () => FileVault.open(newFolder(), { ...options, clock: () => now });
  const refusal = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return error instanceof Refusal ? error.code : error;
    }
    return undefined;
  };

  it('end at their time', async () => {
    const vault = await open();
    const token = tokenOf(await vault.downloadUrl(await vault.put('a', Buffer.from('abc')), 60));
    expect(vault.openTransfer(token, later(59)).operation).toBe('download');
    expect(refusal(() => vault.openTransfer(token, later(60)))).toBe('transferExpired');
  });

  it('that anybody altered, or another server signed, are refused', async () => {
    const vault = await open();
    const token = tokenOf(await vault.downloadUrl(await vault.put('a', Buffer.from('abc')), 60));
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A';
      const altered = token.slice(0, i) + other + token.slice(i + 1);
      expect(refusal(() => vault.openTransfer(altered, now))).toBe('transferInvalid');
    }
    for (const unfit of [
      '',
      '.',
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      `${token}.`,
      'x'.repeat(5_000),
    ]) {
      expect(refusal(() => vault.openTransfer(unfit, now))).toBe('transferInvalid');
    }
    const stranger = await FileVault.open(newFolder(), { ...options, transferSecret: randomBytes(32) });
    expect(refusal(() => stranger.openTransfer(token, now))).toBe('transferInvalid');
  });

  it('to fetch give ranges, and nothing once the version is gone', async () => {
    const vault = await open();
    const ref = await vault.put('a', Buffer.from('0123456789'));
    const transfer = vault.openTransfer(tokenOf(await vault.downloadUrl(ref, 60)), now);
    if (transfer.operation !== 'download') throw new Error('not a download');
    expect(transfer.ref).toEqual(ref);
    expect(Buffer.from(await collect(transfer.read({ offset: 3, length: 4 }))).toString()).toBe('3456');
    await vault.remove('a');
    await expect(collect(transfer.read())).rejects.toMatchObject({ code: 'vault' });
  });

  it('to store make one version however often the same content comes, and refuse other content', async () => {
    const vault = await open();
    const [name, body] = [freshName(), randomBytes(5_000)];
    const { url } = await vault.uploadLink(name, { size: body.length, sha256: sha256(body) }, 60);
    const transfer = vault.openTransfer(tokenOf(url), now);
    if (transfer.operation !== 'upload') throw new Error('not an upload');
    for (const other of [body.subarray(1), randomBytes(5_000), Buffer.concat([body, body])]) {
      const error = await transfer.accept(chunks(other, 512)).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'transferMismatch', subjectCode: '1.6' });
    }
    expect(await vault.head(name)).toBeUndefined();
    const first = await transfer.accept(chunks(body, 512));
    expect(await transfer.accept(chunks(body, 1))).toEqual(first);
    expect(await vault.head(name)).toEqual(first);
  });

  it('stop reading a body that is longer than announced', async () => {
    const vault = await open();
    const { url } = await vault.uploadLink('upload', { size: 100, sha256: sha256(new Uint8Array(100)) }, 60);
    const transfer = vault.openTransfer(tokenOf(url), now);
    if (transfer.operation !== 'upload') throw new Error('not an upload');
    let given = 0;
    const endless = async function* () {
      for (;;) {
        given += 60;
        yield new Uint8Array(60);
      }
    };
    await expect(transfer.accept(endless())).rejects.toMatchObject({ code: 'transferMismatch' });
    expect(given).toBe(120);
  });

  it('need a secret that cannot be guessed', async () => {
    const opening = FileVault.open(newFolder(), { ...options, transferSecret: randomBytes(31) });
    await expect(opening).rejects.toMatchObject({ code: 'configuration' });
  });
});
