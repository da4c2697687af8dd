import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { partFile } from '../../cli/delivery/batch-folder.ts';
import { batchManifestTbs, encodeBatchManifest } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { selfSigned } from '../support/self-signed.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';

const folder = new Folder();
const servers: (Server | NetServer)[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => folder.remove());

async function portOf(server: Server | NetServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What `smdpf order status` tells of a server at this URL. */
async function toldOf(url: string, ...more: string[]) {
  const { code, json } = await runCli('order', 'status', 'O', '--url', url, '--json', ...more);
  const { error } = json<ErrorDocument>();
  expect(error.exitCode).toBe(code);
  return error;
}

/** An address that nobody listens at. */
async function nobody(): Promise<string> {
  const server = createNetServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('a command tells what became of its server', () => {
  it('that is not there, or not by that name: a mistake in what was given', async () => {
    expect(await toldOf(await nobody())).toMatchObject({
      ...{ code: 'usage', exitCode: 2, hint: 'Check host and port, and that the server runs.' },
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED/),
    });
    expect(await toldOf('http://nowhere.invalid')).toMatchObject({
      ...{ code: 'usage', exitCode: 2, message: expect.stringContaining('cannot be reached') },
    });
  });

  it('that breaks the connection off: nothing that was given is wrong', async () => {
    const port = await portOf(createServer((request) => request.socket.destroy()));
    expect(await toldOf(`http://127.0.0.1:${port}`)).toMatchObject({
      ...{ code: 'system', exitCode: 3, message: expect.stringContaining('broke off') },
      hint: expect.stringContaining('not done twice'),
    });
  });

  it('whose certificate is of no CA that is known, and one that speaks no TLS, or no HTTP', async () => {
    const { cert, key } = selfSigned('smdpf');
    const tls = await portOf(createTlsServer({ cert, key }));
    const plain = await portOf(createServer());
    const other = await portOf(createNetServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')));
    for (const [url, message, hint] of [
      [`https://127.0.0.1:${tls}`, 'there is no TLS with', '--tls-ca'],
      [`https://127.0.0.1:${plain}`, 'there is no TLS with', '--tls-ca'],
      [`http://127.0.0.1:${other}`, 'does not answer as HTTP', 'scheme and port'],
    ] as const)
      expect(await toldOf(url)).toMatchObject({
        ...{ code: 'usage', exitCode: 2 },
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      });
  });

  it.each([
    [404, 1, 'refused', 'something else has answered'],
    [502, 3, 'system', 'what stands before it'],
  ])('by a page of HTTP %i that is no answer of the interface', async (status, exitCode, code, hint) => {
    const page = (response: ServerResponse) =>
      response.writeHead(status, { 'retry-after': '61' }).end('<html>');
    const port = await portOf(
      createServer((request, response) => request.resume().on('end', () => page(response))),
    );
    const server = ['--url', `http://127.0.0.1:${port}`, '--json'];
    const keys = await runCli('sim', 'operator', 'server-keys', ...server);
    expect(keys.json<ErrorDocument>().error).toMatchObject({
      ...{ code, exitCode, message: `answered with HTTP ${status}, in no form of the interface` },
      hint: expect.stringContaining(hint),
    });
    // one that shows the answer as it is ends alike
    expect((await runCli('order', 'status', 'O', ...server)).code).toBe(exitCode);
  });
});

/** A server with one answer of one part; `part` answers whoever follows its link. */
async function serverOfPart(part: (response: ServerResponse, octets: Buffer) => void) {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const octets = randomBytes(5_000);
  const tbs = batchManifestTbs({
    requestId: '0a0b',
    chains: [{ ciPkId: randomBytes(20), certificates: [Buffer.from('3000', 'hex')] }],
    parts: [
      { name: 'p', size: octets.length, sha256: createHash('sha256').update(octets).digest(), index: [] },
    ],
  });
  const signature = sign('sha256', tbs, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  const asked: string[] = [];
  const port = await portOf(
    createServer((request, response) => {
      const called = request.url!.split('/').at(-1)!;
      asked.push(called);
      const header = { functionExecutionStatus: { status: 'Executed-Success' } };
      const answers: Record<string, object> = {
        getBppBatch: {
          state: 'Done',
          manifest: Buffer.from(encodeBatchManifest(tbs, signature)).toString('base64'),
        },
        getServerKeys: { deliveryKeys: [keys.publicKey.export({ format: 'jwk' })] },
        getTransfer: { downloadUrl: `http://127.0.0.1:${port}/part` },
      };
      request.resume().on('end', () => {
        if (called === 'part') part(response, octets);
        else response.end(JSON.stringify({ header, ...answers[called] }));
      });
    }),
  );
  const pull = async (out: string) => {
    const result = await runCli(
      ...[
        'pull',
        '--request',
        '0a0b',
        '--out',
        folder.file(out),
        '--url',
        `http://127.0.0.1:${port}`,
        '--json',
      ],
    );
    expect(result.code).not.toBe(0);
    return result.json<ErrorDocument>().error;
  };
  return { pull, tries: () => asked.filter((path) => path === 'part').length };
}

describe('smdpf pull tells why a part does not come', () => {
  it.each([
    [403, 'the permissions of its store'],
    [404, 'make a new request'],
    [410, 'make a new request'],
  ])('refused for good by HTTP %i: at once, and as a refusal', async (status, hint) => {
    const { pull, tries } = await serverOfPart((response) => response.writeHead(status).end());
    expect(await pull(`refused-${status}`)).toMatchObject({
      ...{ code: 'refused', exitCode: 1, message: `the download was answered with HTTP ${status}` },
      hint: expect.stringContaining(hint),
    });
    expect(tries()).toBe(1);
  });

  it('refused for now by HTTP 503, each time: as a fault, after as long as the store has asked for', async () => {
    const { pull, tries } = await serverOfPart((response) =>
      response.writeHead(503, { 'retry-after': '0' }).end(),
    );
    expect(await pull('busy')).toMatchObject({
      ...{ code: 'system', exitCode: 3, message: 'the download was answered with HTTP 503' },
      hint: expect.stringContaining('goes on where it stopped'),
    });
    expect(tries()).toBe(5);
  });

  it.each([
    ['/dev/full', 'the disk is full', 3, 'Make room'],
    ['/nowhere/at/all', 'no such file or folder', 2, 'Check the path'],
  ])('not written here: %s', async (target, message, exitCode, hint) => {
    const { pull, tries } = await serverOfPart((response, octets) => response.end(octets));
    const out = `local-${exitCode}`;
    mkdirSync(folder.file(out));
    const file = `${partFile(folder.file(out), 0)}.partial`;
    symlinkSync(target, file);
    expect(await pull(out)).toMatchObject({
      ...{ code: 'system', exitCode, message: `${file}: ${message}` },
      hint: expect.stringContaining(hint),
    });
    expect(tries()).toBe(1);
  });

  it('where its folder cannot be', async () => {
    folder.write('a-file', '');
    const { pull } = await serverOfPart((response, octets) => response.end(octets));
    expect(await pull(join('a-file', 'below'))).toMatchObject({
      ...{ code: 'system', exitCode: 2, message: expect.stringContaining('a part of the path is no folder') },
    });
  });
});
