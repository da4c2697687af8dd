import { createHash, randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import type { ObjectRef, PpkVault, Vault } from '../../shared/vault/vault.ts';

export interface VaultContractOptions {
  /** How to reach the URLs that the vault gives out; `fetch` unless given. */
  readonly fetch?: (
    url: string,
    init?: { method: string; headers?: Readonly<Record<string, string>>; body: Bytes },
  ) => Promise<{ status: number; body: Bytes }>;
  /** A size at which the adapter stores a stream in several steps, in octets. */
  /** False where nothing is uploaded under the names of `folder`. */
  readonly uploads?: boolean;
  /** Of its objects; ends with a slash. */
  readonly folder?: string;
  readonly largeSize?: number;
  /** False where the store behind the adapter is known not to compare checksums itself (some emulators). */
  readonly checksUploads?: boolean;
}

/** What every vault promises. `open` gives a new connection to one and the same store. */
export function vaultContract(
  name: string,
  open: () => Promise<Vault>,
  options: VaultContractOptions = {},
): void {
  const { fetch: request = fetchUrl, largeSize = 3_000_000, checksUploads = true } = options;
  const freshName = () => `${options.folder ?? 'test/'}${randomUUID()}`;
  describe(`${name} keeps the vault contract`, () => {
    let vault: Vault;
    beforeAll(async () => {
      vault = await open();
    });
    afterAll(() => vault.close());

    it('an object comes back whole, bound to its size and SHA-256', async () => {
      const [name, body] = [freshName(), randomBytes(10_000)];
      const ref = await vault.put(name, body);
      expect(ref).toEqual({ name, version: ref.version, size: 10_000, sha256: sha256(body) });
      expect(hex(await vault.get(ref))).toBe(hex(body));
      expect(hex(await collect(vault.getStream(ref)))).toBe(hex(body));
      expect(await vault.head(name)).toEqual(ref);
    });

    it('an object of no octets is an object', async () => {
      const ref = await vault.put(freshName(), new Uint8Array());
      expect(ref).toMatchObject({ size: 0, sha256: sha256(new Uint8Array()) });
      expect(await vault.get(ref)).toHaveLength(0);
      expect(await collect(vault.getStream(ref))).toHaveLength(0);
      expect(await vault.putStream(freshName(), chunks(new Uint8Array(), 1))).toMatchObject({ size: 0 });
    });

    it('nothing is changed in place: each put is a version of its own, the newest is the head', async () => {
      const name = freshName();
      const refs: ObjectRef[] = [];
      for (const text of ['one', 'two', 'three']) refs.push(await vault.put(name, Buffer.from(text)));
      expect(new Set(refs.map(({ version }) => version)).size).toBe(3);
      expect(await vault.head(name)).toEqual(refs[2]);
      const contents = await Promise.all(refs.map((ref) => vault.get(ref)));
      expect(contents.map((content) => Buffer.from(content).toString())).toEqual(['one', 'two', 'three']);
    });

    it('a stream is stored whole, whatever its chunks', async () => {
      for (const [size, chunk] of [
        [100_000, 7_000],
        [largeSize, 65_536],
        [largeSize, largeSize],
      ] as const) {
        const body = randomBytes(size);
        const ref = await vault.putStream(freshName(), chunks(body, chunk));
        expect(ref).toMatchObject({ size, sha256: sha256(body) });
        expect(sha256(await vault.get(ref))).toBe(ref.sha256);
        expect(await vault.head(ref.name)).toEqual(ref);
      }
    });

    it('a stream that breaks off leaves nothing', async () => {
      const name = freshName();
      const broken = async function* () {
        yield randomBytes(50_000);
        throw new Error('the line went dead');
      };
      await expect(vault.putStream(name, broken())).rejects.toThrow('the line went dead');
      expect(await vault.head(name)).toBeUndefined();
    });

    it('ranges are exact, and one that reaches beyond the end is a Fault', async () => {
      const body = randomBytes(5_000);
      const ref = await vault.put(freshName(), body);
      await fc.assert(
        fc.asyncProperty(fc.nat(4_999), fc.nat(4_999), async (a, b) => {
          const [offset, end] = [Math.min(a, b), Math.max(a, b) + 1];
          const part = await vault.get(ref, { offset, length: end - offset });
          expect(hex(part)).toBe(hex(body.subarray(offset, end)));
        }),
        { numRuns: 20 },
      );
      expect(await vault.get(ref, { offset: 5_000, length: 0 })).toHaveLength(0);
      for (const range of [
        { offset: 4_999, length: 2 },
        { offset: -1, length: 1 },
        { offset: 0, length: 0.5 },
      ]) {
        await expectFault(vault.get(ref, range));
      }
    });

    it('a reference that does not fit what is stored is a Fault', async () => {
      const ref = await vault.put(freshName(), Buffer.from('content'));
      await expectFault(vault.get({ ...ref, sha256: sha256(Buffer.from('other')) }));
      await expectFault(vault.get({ ...ref, version: 'no-such-version' }));
      await expectFault(vault.get({ ...ref, name: freshName() }));
      await expectFault(collect(vault.getStream({ ...ref, sha256: sha256(Buffer.from('other')) })));
    });

    it('a lock: the first put wins, later ones learn its reference, and it is not removed', async () => {
      const name = freshName();
      const first = await vault.put(name, Buffer.from('first'), { lock: true });
      expect(await vault.put(name, Buffer.from('second'), { lock: true })).toEqual(first);
      await vault.remove(name);
      expect(await vault.head(name)).toEqual(first);
      expect(Buffer.from(await vault.get(first)).toString()).toBe('first');
    });

    it('20 locking puts at once have one winner, and all learn it', async () => {
      const name = freshName();
      const connections = await Promise.all([open(), open()]);
      const refs = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          connections[i % 2]!.put(name, Buffer.from(`claim ${i}`), { lock: true }),
        ),
      );
      expect(new Set(refs.map(({ version, sha256 }) => version + sha256)).size).toBe(1);
      expect(await vault.head(name)).toEqual(refs[0]);
      await Promise.all(connections.map((connection) => connection.close()));
    });

    it('20 puts at once under one name all stay readable', async () => {
      const name = freshName();
      const refs = await Promise.all(
        Array.from({ length: 20 }, (_, i) => vault.put(name, Buffer.from(`put ${i}`))),
      );
      const contents = await Promise.all(refs.map((ref) => vault.get(ref)));
      expect(contents.map((content) => Buffer.from(content).toString())).toEqual(
        refs.map((_, i) => `put ${i}`),
      );
      expect(refs).toContainEqual(await vault.head(name));
    });

    it('may be removed by several at once', async () => {
      for (let round = 0; round < 20; round++) {
        const name = `several/${round}`;
        await vault.put(name, Buffer.from('content'));
        await Promise.all(Array.from({ length: 4 }, () => vault.remove(name)));
        expect(await vault.head(name)).toBeUndefined();
      }
    });

    it('a removed name is unknown, its versions are gone, and removing again changes nothing', async () => {
      const name = freshName();
      const refs = [await vault.put(name, Buffer.from('1')), await vault.put(name, Buffer.from('2'))];
      await vault.remove(name);
      expect(await vault.head(name)).toBeUndefined();
      for (const ref of refs) await expectFault(vault.get(ref));
      await vault.remove(name);
      const again = await vault.put(name, Buffer.from('3'));
      expect(await vault.head(name)).toEqual(again);
      for (const ref of refs) await expectFault(vault.get(ref));
    });

    it('a list has the newest version of each name with the prefix, in order of names', async () => {
      const root = `list/${randomUUID()}`;
      const names = ['a', 'a-b/c', 'a.b', 'a/1', 'a/10', 'a/2', 'a/Ab', 'a/aB', 'b/x/y', 'B/x'];
      for (const name of names) {
        await vault.put(`${root}/${name}`, Buffer.from(`old ${name}`));
        await vault.put(`${root}/${name}`, Buffer.from(name));
      }
      for (const prefix of ['', 'a', 'a/', 'a/1', 'a/A', 'b/x/', 'none']) {
        const listed: string[] = [];
        for await (const ref of vault.list(`${root}/${prefix}`)) {
          listed.push(ref.name.slice(root.length + 1));
          expect(Buffer.from(await vault.get(ref)).toString()).toBe(listed.at(-1));
        }
        expect(listed).toEqual(names.filter((name) => name.startsWith(prefix)).sort());
        const named: string[] = [];
        for await (const name of vault.names(`${root}/${prefix}`)) named.push(name.slice(root.length + 1));
        expect(named).toEqual(listed);
      }
    });

    it('names that lead elsewhere are refused by every call', async () => {
      const unfit = [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        '../a',
        'a/../b',
        '.hidden',
        'a.',
        'a b',
        'a\\b',
        'a\0',
        'é',
        'a:b',
        'a@',
        'a=b',
        '%2e',
        'x'.repeat(101),
        `${'x/'.repeat(250)}x`,
      ];
      const content = { size: 1, sha256: sha256(Buffer.from('x')) };
      for (const name of unfit) {
        await expectFault(vault.put(name, Buffer.from('x')));
        await expectFault(vault.putStream(name, chunks(Buffer.from('x'), 1)));
        await expectFault(vault.head(name));
        await expectFault(vault.remove(name));
        await expectFault(vault.get({ name, version: '1', ...content }));
        await expectFault(vault.downloadUrl({ name, version: '1', ...content }, 60));
        await expectFault(vault.uploadLink(name, content, 60));
      }
      for (const prefix of ['../', '/', 'a//', '.h', './']) await expectFault(drain(vault.list(prefix)));
    });

    it('a download URL gives exactly its version, also after a newer one', async () => {
      const name = freshName();
      const body = randomBytes(2_000);
      const url = await vault.downloadUrl(await vault.put(name, body), 60);
      await vault.put(name, Buffer.from('newer'));
      const response = await request(url);
      expect(response.status).toBe(200);
      expect(hex(response.body)).toBe(hex(body));
    });

    it.skipIf(options.uploads === false)(
      'an upload URL takes exactly its content, and the same again',
      async () => {
        const [name, body] = [freshName(), randomBytes(2_000)];
        const { url, headers } = await vault.uploadLink(
          name,
          { size: body.length, sha256: sha256(body) },
          60,
        );
        expect((await request(url, { method: 'PUT', headers, body })).status).toBe(200);
        const ref = (await vault.head(name))!;
        expect(ref).toMatchObject({ size: 2_000, sha256: sha256(body) });
        expect((await request(url, { method: 'PUT', headers, body })).status).toBe(200);
        expect(hex(await vault.get((await vault.head(name))!))).toBe(hex(body));
      },
    );

    it.skipIf(!checksUploads || options.uploads === false)(
      checksUploads
        ? 'an upload URL takes no other content'
        : 'an upload URL takes no other content (skipped: this store does not compare checksums)',
      async () => {
        const [name, body] = [freshName(), randomBytes(2_000)];
        const { url, headers } = await vault.uploadLink(
          name,
          { size: body.length, sha256: sha256(body) },
          60,
        );
        const others = [body.subarray(1), randomBytes(2_000), Buffer.concat([body, body]), new Uint8Array()];
        for (const other of others) {
          const { status } = await request(url, { method: 'PUT', headers, body: other });
          expect(status).toBeGreaterThanOrEqual(400);
        }
        expect(await vault.head(name)).toBeUndefined();
      },
    );
  });
}

/** What every PPK vault promises. */
export function ppkVaultContract(name: string, open: () => Promise<PpkVault>): void {
  describe(`${name} keeps the PPK vault contract`, () => {
    let vault: PpkVault;
    beforeAll(async () => {
      vault = await open();
    });
    afterAll(() => vault.close());

    const pack = (count: number) => Array.from({ length: count }, () => randomBytes(76));
    const all = (count: number) => Array.from({ length: count }, (_, i) => i);
    const hexes = (entries: readonly (Bytes | undefined)[]) => entries.map((entry) => entry && hex(entry));

    it('a pack comes back: its header, and entries in the order asked', async () => {
      const [name, header, entries] = [freshName(), randomBytes(200), pack(300)];
      await vault.putPack(name, header, entries);
      expect(hex((await vault.header(name))!)).toBe(hex(header));
      expect(hexes(await vault.entries(name, all(300)))).toEqual(hexes(entries));
      expect(hexes(await vault.entries(name, [299, 0, 150, 150]))).toEqual(
        hexes([entries[299], entries[0], entries[150], entries[150]]),
      );
      expect(await vault.entries(name, [])).toEqual([]);
    });

    it('entries of differing length, a header of none and a pack of one', async () => {
      const name = freshName();
      const entries = [1, 76, 500, 4000].map((length) => randomBytes(length));
      await vault.putPack(name, new Uint8Array(), entries);
      expect(await vault.header(name)).toHaveLength(0);
      expect(hexes(await vault.entries(name, all(4)))).toEqual(hexes(entries));
      const single = freshName();
      await vault.putPack(single, randomBytes(3), [entries[1]!]);
      expect(hexes(await vault.entries(single, [0]))).toEqual(hexes([entries[1]]));
    });

    it('an unknown pack has no header and no entries, and destroying it changes nothing', async () => {
      const name = freshName();
      expect(await vault.header(name)).toBeUndefined();
      expect(await vault.entries(name, [0, 1])).toEqual([undefined, undefined]);
      await vault.destroy(name, [0, 1]);
      await vault.destroyPack(name);
      expect(await vault.header(name)).toBeUndefined();
    });

    it('a pack that is present stays as it is, whatever is put again', async () => {
      const [name, header, entries] = [freshName(), randomBytes(10), pack(20)];
      await vault.putPack(name, header, entries);
      await vault.destroy(name, [3]);
      await vault.putPack(name, randomBytes(10), pack(20));
      await vault.putPack(name, header, entries);
      expect(hex((await vault.header(name))!)).toBe(hex(header));
      const expected = entries.map((entry, i) => (i === 3 ? undefined : entry));
      expect(hexes(await vault.entries(name, all(20)))).toEqual(hexes(expected));
    });

    it('ten packs put at once under one name: one stays, whole', async () => {
      const name = freshName();
      const packs = Array.from({ length: 10 }, () => ({ header: randomBytes(8), entries: pack(120) }));
      await Promise.all(packs.map(({ header, entries }) => vault.putPack(name, header, entries)));
      const kept = hex((await vault.header(name))!);
      const winner = packs.find(({ header }) => hex(header) === kept)!;
      expect(hexes(await vault.entries(name, all(120)))).toEqual(hexes(winner.entries));
    });

    it('destroyed entries are undefined for ever, the others untouched; destroying may be repeated', async () => {
      const [name, entries] = [freshName(), pack(250)];
      await vault.putPack(name, randomBytes(10), entries);
      const dead = all(250).filter((i) => i % 3 === 0 || (i > 100 && i < 180));
      for (let round = 0; round < 2; round++) {
        await vault.destroy(name, dead);
        const expected = entries.map((entry, i) => (dead.includes(i) ? undefined : entry));
        expect(hexes(await vault.entries(name, all(250)))).toEqual(hexes(expected));
      }
      await vault.destroy(name, []);
      await vault.destroy(name, all(250));
      expect(await vault.entries(name, all(250))).toEqual(all(250).map(() => undefined));
      expect(await vault.header(name)).toHaveLength(10);
    });

    it('many that destroy at once lose nothing of each other', async () => {
      const [name, entries] = [freshName(), pack(250)];
      await vault.putPack(name, randomBytes(10), entries);
      const connections = await Promise.all([open(), open()]);
      const destroyed = all(25).map((i) => all(9).map((j) => i * 10 + j));
      await Promise.all(destroyed.map((positions, i) => connections[i % 2]!.destroy(name, positions)));
      const expected = entries.map((entry, i) => (i % 10 === 9 ? entry : undefined));
      expect(hexes(await vault.entries(name, all(250)))).toEqual(hexes(expected));
      await Promise.all(connections.map((connection) => connection.close()));
    });

    it('a destroyed pack is unknown', async () => {
      const name = freshName();
      await vault.putPack(name, randomBytes(10), pack(250));
      await vault.destroyPack(name);
      expect(await vault.header(name)).toBeUndefined();
      expect(await vault.entries(name, [0, 249])).toEqual([undefined, undefined]);
      await vault.destroyPack(name);
    });

    it('the names of all packs are told, and of no other', async () => {
      const [there, gone] = [freshName(), freshName()];
      await vault.putPack(there, randomBytes(10), pack(3));
      await vault.putPack(gone, randomBytes(10), pack(3));
      await vault.destroyPack(gone);
      const names: string[] = [];
      for await (const name of vault.names()) names.push(name);
      expect([names.includes(there), names.includes(gone)]).toEqual([true, false]);
    });

    it('positions outside a pack and names that lead elsewhere are Faults', async () => {
      const name = freshName();
      await vault.putPack(name, randomBytes(10), pack(5));
      for (const position of [5, -1, 0.5]) {
        await expectFault(vault.entries(name, [position]));
        await expectFault(vault.destroy(name, [position]));
      }
      await expectFault(vault.putPack('../pack', randomBytes(10), pack(5)));
      await expectFault(vault.putPack(freshName(), randomBytes(10), [new Uint8Array()]));
    });
  });
}

export function freshName(): string {
  return `test/${randomUUID()}`;
}

export function sha256(octets: Bytes): string {
  return createHash('sha256').update(octets).digest('hex');
}

function hex(octets: Bytes): string {
  return Buffer.from(octets).toString('hex');
}

export async function* chunks(body: Bytes, length: number): AsyncGenerator<Bytes> {
  for (let start = 0; start < body.length; start += length) yield body.subarray(start, start + length);
}

export async function collect(stream: AsyncIterable<Bytes>): Promise<Bytes> {
  const parts: Bytes[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

export async function expectFault(work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  expect(['vault', 'invariant']).toContain((error as Fault).code);
}

async function fetchUrl(
  url: string,
  init?: { method: string; headers?: Readonly<Record<string, string>>; body: Bytes },
) {
  const response = await fetch(url, init === undefined ? {} : { ...init, body: new Uint8Array(init.body) });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}
