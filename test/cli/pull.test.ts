import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFingerprint, spkisOf } from '../../cli/delivery/delivery-keys.ts';
import { type RunningServer, startServer } from '../../cli/server/server.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { FileVault } from '../../shared/vault/file.ts';
import { decodeBppBatch, encodeBppRequest } from '../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { selfSigned } from '../support/self-signed.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';

const ORDER = 'ORD-1';
const folder = new Folder();
const serverTls = selfSigned('smdpf');
const maker = selfSigned(DEVICE_MAKER.identifier);
let deployment: Deployment;
let server: RunningServer;
let inUse: string;

beforeAll(async () => {
  // an answer of more than this comes as a manifest and its parts
  const port = await freePort();
  const publicUrl = `https://127.0.0.1:${port}`;
  deployment = await Deployment.create({
    config: {
      publicUrl,
      transferSecret: '5a'.repeat(32),
      inlineLimit: 10_000,
      chunkSize: 2,
      manifest: { whole: 4, page: 2 },
    },
  });
  const { services, context, keys } = deployment.runtime;
  await services.parties.add(
    maker.fingerprint,
    { identifier: DEVICE_MAKER.identifier, role: 'deviceMaker' },
    't',
  );
  const { vault } = context;
  if (!(vault instanceof FileVault)) throw new Error('the deployment of tests has a file vault');
  const listen = { host: '127.0.0.1', port };
  server = await startServer({ services, tls: serverTls, listen, field: { port: 0 }, vault, log: () => {} });
  await services.orders.prepareProfiles(OPERATOR, deployment.order(ORDER, 40, ownTemplate()));
  const { publicKey } = await keys.openSigningKey(deployment.config.keys.delivery, 'delivery');
  inUse = keyFingerprint(publicKey);
});
afterAll(async () => {
  await server?.close();
  await deployment?.close();
  folder.remove();
});

/** Links to parts name the port before the server has it. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The requestId of a request for so many eUICCs. */
async function request(count: number): Promise<string> {
  const { ingest, delivery } = deployment.runtime.services;
  const euiccs = Array.from({ length: count }, () => deployment.eum.personalise({ keys: 1 }));
  const batch = deployment.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
  await ingest.registerEuiccData(EUM, batch);
  const requestId = randomBytes(8);
  const items = euiccs.map(({ eid }, itemId) => ({ itemId, eid }));
  await delivery.requestBpp(DEVICE_MAKER, encodeBppRequest({ requestId, orderId: ORDER, items }));
  return requestId.toString('hex');
}

const pull = (requestId: string, out: string, ...more: string[]) =>
  runCli(
    ...['pull', '--request', requestId, '--out', folder.file(out), '--url', server.urls.parties],
    ...['--requester', DEVICE_MAKER.identifier, '--tls-ca', folder.write('server.pem', serverTls.cert)],
    ...[
      '--tls-cert',
      folder.write('maker.cert', maker.cert),
      '--tls-key',
      folder.write('maker.key', maker.key),
    ],
    ...['--json', ...more],
  );
const verify = (out: string, ...more: string[]) =>
  runCli('batch', 'verify', '--folder', folder.file(out), '--json', ...more);

async function rotate(name: string): Promise<string> {
  const { keys, context } = deployment.runtime;
  const uri = `softkey:path=${join(deployment.folder, 'keys', name)}.key`;
  await keys.generate(uri, 'ecdsa-p256', 'delivery');
  await context.keyAssignments.assign('delivery', uri, 'test');
  return uri;
}

describe('a pulled folder', { tags: ['A1-AIR-GAP', 'ESBPP04'] }, () => {
  it('is verified offline, wherever it is carried, with the keys that the server named under mutual TLS', async () => {
    const requestId = await request(5);
    const pulled = await pull(requestId, 'here');
    expect(pulled.code, pulled.stdout).toBe(0);
    expect(pulled.json()).toMatchObject({ form: 'parts', parts: 3, signedBy: inUse });
    expect(pulled.json<{ keysFrom: string }>().keysFrom).toBe(`${server.urls.parties} by mutual TLS`);

    renameSync(folder.file('here'), folder.file('stick'));
    const verified = await verify('stick');
    expect(verified.code, verified.stdout).toBe(0);
    expect(verified.json()).toMatchObject({ bound: 5, signature: 'holds', signedBy: inUse, problems: [] });
    // the key in the folder is no proof against who replaced all of it, and the command says so
    expect(verified.stderr).toContain('--delivery-key');
  });

  it('is refused under a pinned key that is not the one that signed it, at pull time and later', async () => {
    const requestId = await request(5);
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = folder.write('other.jwk', JSON.stringify(publicKey.export({ format: 'jwk' })));
    const refused = await pull(requestId, 'pinned', '--delivery-key', other);
    expect(refused.code).toBe(1);
    expect(refused.json<ErrorDocument>().error.message).toContain('not signed');

    expect((await pull(requestId, 'pinned')).code).toBe(0);
    const given = join(folder.file('pinned'), 'delivery-keys.json');
    expect((await pull(requestId, 'pinned', '--delivery-key', given)).json()).toMatchObject({
      present: 3,
      keysFrom: `--delivery-key ${given}`,
    });
    const verified = await verify('pinned', '--delivery-key', other);
    expect(verified.code).toBe(1);
    expect(verified.json()).toMatchObject({ signature: 'fails' });
  });

  it('of a manifest with pages is verified under its root, goes on in the middle, and shows each page that is wrong', async () => {
    const requestId = await request(11);
    const pulled = await pull(requestId, 'pages');
    expect(pulled.json(), pulled.stdout).toMatchObject({ form: 'parts', pages: 3, parts: 6, present: 0 });
    const verified = await verify('pages');
    expect(verified.json(), verified.stdout).toMatchObject({
      ...{ bound: 11, parts: 6, pages: 3, signature: 'holds', problems: [] },
    });
    const out = folder.file('pages');
    const page = (n: number) => join(out, `page-0000${n}.der`);
    const pages = [0, 1, 2].map((n) => readFileSync(page(n)));
    const other = await request(11);
    await pull(other, 'other-pages');
    const changed = Buffer.from(pages[1]!);
    changed[60]! ^= 1;
    const wrong = [
      pages[0]!,
      pages[2]!,
      changed,
      readFileSync(join(folder.file('other-pages'), 'page-00001.der')),
    ];
    for (const octets of [...wrong, undefined]) {
      if (octets === undefined) rmSync(page(1));
      else writeFileSync(page(1), octets);
      const found = await verify('pages');
      expect(found.code).toBe(1);
      expect(found.json()).toMatchObject({
        problems: [{ page: 1, problem: expect.stringContaining('pull again') }],
      });
    }
    // killed in the middle: a page and two parts of it are there
    for (const n of [2, 3, 4, 5]) rmSync(join(out, `part-0000${n}.der`));
    rmSync(page(2));
    const again = await pull(requestId, 'pages');
    expect(again.json(), again.stdout).toMatchObject({ pages: 3, parts: 6, present: 2 });
    expect([0, 1, 2].map((n) => readFileSync(page(n)).equals(pages[n]!))).toEqual([true, true, true]);
    const packed = await runCli(
      'batch',
      'pack',
      '--folder',
      out,
      '--out',
      folder.file('pages.der'),
      '--json',
    );
    expect(packed.code).toBe(0);
    expect(decodeBppBatch(readFileSync(folder.file('pages.der'))).items).toHaveLength(11);
  });

  it('of an inline answer says that it carries no signature', async () => {
    expect((await pull(await request(1), 'inline')).json()).toMatchObject({ form: 'batch' });
    const verified = await verify('inline');
    expect(verified.json()).toMatchObject({ bound: 1, failed: 0, signature: 'none' });
    expect(verified.stderr).toContain('no signature');
    const packed = await runCli(
      ...['batch', 'pack', '--folder', folder.file('inline'), '--out', folder.file('one.der'), '--json'],
    );
    expect(packed.json()).toMatchObject({
      size: readFileSync(join(folder.file('inline'), 'batch.der')).length,
    });
  });

  it('of an inline answer finds one flipped bit, and a batch that nobody pulled', async () => {
    await pull(await request(1), 'flipped');
    const file = join(folder.file('flipped'), 'batch.der');
    const batch = readFileSync(file);
    const changed = Buffer.from(batch);
    changed[batch.length - 40]! ^= 1;
    writeFileSync(file, changed);
    const found = await verify('flipped');
    expect(found.code).toBe(1);
    expect(found.json()).toMatchObject({ problems: [{ problem: expect.stringContaining('pull again') }] });
    const packed = await runCli(
      ...['batch', 'pack', '--folder', folder.file('flipped'), '--out', folder.file('two.der'), '--json'],
    );
    expect(packed.code).toBe(1);

    writeFileSync(file, batch);
    expect((await verify('flipped')).code).toBe(0);
    rmSync(join(folder.file('flipped'), 'batch.sha256'));
    const unknown = await verify('flipped');
    expect(unknown.code).toBe(1);
    expect(unknown.json()).toMatchObject({
      problems: [{ problem: expect.stringContaining('no batch.sha256') }],
    });
  });

  it('stays verifiable after the key was replaced and is gone; one of a retired key is signed anew', async () => {
    const requestId = await request(5);
    expect((await pull(requestId, 'before')).json()).toMatchObject({ signedBy: inUse });
    const first = deployment.config.keys.delivery;
    await rotate('delivery-2');
    // a server that starts anew, on a backend that has the old key no more
    rmSync(first.replace('softkey:path=', ''));

    const after = await pull(requestId, 'after');
    expect(after.json(), after.stdout).toMatchObject({ signedBy: inUse });
    expect((await verify('after')).code).toBe(0);
    const caller = { role: 'deviceMaker' } as const;
    const { orders } = deployment.runtime.services;
    const { intakeKey, deliveryKeys } = await orders.getServerKeys(caller);
    expect(intakeKey).toBeUndefined();
    const prints = spkisOf(deliveryKeys).map(keyFingerprint);
    expect(prints).toHaveLength(2);
    expect(prints[1]).toBe(inUse);

    await deployment.runtime.context.keyAssignments.retire('delivery', first, 'test');
    expect((await orders.getServerKeys(caller)).deliveryKeys).toHaveLength(1);
    cpSync(folder.file('after'), folder.file('anew'), { recursive: true });
    const anew = await pull(requestId, 'anew');
    expect(anew.json(), anew.stdout).toMatchObject({ present: 3, signedBy: prints[0] });
    expect((await pull(requestId, 'anew')).json()).toEqual(anew.json());
  });
});
