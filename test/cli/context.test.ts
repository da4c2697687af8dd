import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ErrorDocument, runCliIn } from './support/cli.ts';

let folder: string;
let server: Server | undefined;
const file = () => join(folder, 'deep', 'contexts.json');
const smdpf = (...args: readonly string[]) => runCliIn({ SMDPF_CONTEXTS: file() }, ...args, '--json');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smdpf-context-'));
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A server over plain HTTP that keeps what it was called with. */
async function listener(): Promise<{ readonly url: string; readonly calls: string[] }> {
  const calls: string[] = [];
  server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => calls.push(chunk.toString('utf8')));
    request.on('end', () => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

const closeOrder = ['sim', 'operator', 'close', '--order-id', 'ORD-1'] as const;

describe('smdpf context', () => {
  it('keeps the first one in use, and others until they are asked for', async () => {
    expect((await smdpf('context', 'add', 'a', '--url', 'http://127.0.0.1:1')).json()).toMatchObject({
      inUse: true,
    });
    expect((await smdpf('context', 'add', 'b', '--url', 'http://127.0.0.1:2')).json()).toMatchObject({
      inUse: false,
    });
    await smdpf('context', 'use', 'b');
    const { contexts } = (await smdpf('context', 'list')).json<{
      contexts: { name: string; inUse: boolean }[];
    }>();
    expect(contexts.map(({ name, inUse }) => [name, inUse])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    await smdpf('context', 'remove', 'b');
    expect((await smdpf('context', 'list')).json<{ contexts: unknown[] }>().contexts).toMatchObject([
      { name: 'a', inUse: false },
    ]);
  });

  it('is for its owner alone, and holds absolute paths and no key', async () => {
    const key = join(folder, 'key.pem');
    await writeFile(key, '-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n');
    await smdpf('context', 'add', 'a', '--url', 'https://h:1', '--cert', key, '--key', key, '--ca', key);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const kept = await readFile(file(), 'utf8');
    expect(kept).not.toContain('PRIVATE');
    expect(JSON.parse(kept)).toEqual({
      version: 1,
      inUse: 'a',
      contexts: { a: { url: 'https://h:1', tlsCa: key, tlsCert: key, tlsKey: key } },
    });
  });

  it.each([
    [['add', 'a', '--url', 'ftp://h'], '--url is not an http or https URL'],
    [['add', '../a', '--url', 'http://h'], 'the name of a context is a short word'],
    [['add', '__proto__', '--url', 'http://h'], 'the name of a context is a short word'],
    [['add', 'a', '--url', 'http://h', '--cert', '/nowhere'], '--cert and --key belong together'],
    [
      ['add', 'a', '--url', 'http://h', '--ca', '/nowhere'],
      '--ca: /nowhere cannot be read (no such file or folder)',
    ],
    [['use', 'a'], 'there is no context a'],
    [['remove', 'constructor'], 'there is no context constructor'],
  ])('refuses %j', async (args, message) => {
    const { code, json } = await smdpf('context', ...args);
    expect(code).toBe(2);
    expect(json<ErrorDocument>().error).toMatchObject({ code: 'usage', message });
  });

  it('keeps what has the name unless it is to be replaced', async () => {
    await smdpf('context', 'add', 'a', '--url', 'http://h:1');
    const again = await smdpf('context', 'add', 'a', '--url', 'http://h:2');
    expect(again.json<ErrorDocument>().error.message).toBe('there is a context a');
    expect((await smdpf('context', 'add', 'a', '--url', 'http://h:2', '--replace')).code).toBe(0);
  });

  it('says which member of the file is wrong', async () => {
    await smdpf('context', 'add', 'a', '--url', 'http://h:1');
    await writeFile(file(), '{"contexts": {"a": {"ulr": "http://h:1"}}}');
    expect((await smdpf('context', 'list')).json<ErrorDocument>().error.message).toContain('contexts.a');
  });
});

describe('a command that calls a server', () => {
  it('takes server and requester of the context in use', async () => {
    const { url, calls } = await listener();
    await smdpf('context', 'add', 'a', '--url', url, '--requester', '2.999.60');
    await smdpf(...closeOrder);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toContain('"functionRequesterIdentifier":"2.999.60"');
  });

  it('takes the one of --context, and what is given beside it', async () => {
    const { url, calls } = await listener();
    await smdpf('context', 'add', 'a', '--url', 'http://127.0.0.1:1');
    await smdpf('context', 'add', 'b', '--url', url, '--requester', '2.999.60');
    await smdpf(...closeOrder, '--context', 'b', '--requester', '2.999.61');
    expect(calls[0]).toContain('"functionRequesterIdentifier":"2.999.61"');
  });

  it('sends nothing that is kept to a server that is named by --url', async () => {
    const { url, calls } = await listener();
    await smdpf('context', 'add', 'a', '--url', 'http://127.0.0.1:1', '--requester', '2.999.60');
    await smdpf(...closeOrder, '--url', url);
    expect(calls).toHaveLength(1);
    expect(calls[0]).not.toContain('2.999.60');
  });

  it('says what to do where there is neither', async () => {
    const { code, json } = await smdpf(...closeOrder);
    expect(code).toBe(2);
    expect(json<ErrorDocument>().error).toMatchObject({
      message: 'no server is named, and no context is in use',
      hint: 'Give --url https://HOST:PORT, or keep a server with smdpf context add.',
    });
  });
});
