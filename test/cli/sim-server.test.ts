import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../cli/server/server.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { FileVault } from '../../shared/vault/file.ts';
import { encodeProfileLoadingReport } from '../../sim/index.ts';
import { caller, DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { type SelfSigned, selfSigned } from '../support/self-signed.ts';
import { Folder } from './support/binding-bench.ts';
import { type CliResult, type ErrorDocument, runCli, runCliIn } from './support/cli.ts';

// Every command that calls a server, against a server: order, data batch, request, line, report, late notifications.

const QUANTITY = 3;
const folder = new Folder();
const at = (...parts: string[]) => join(folder.path, ...parts);
let deployment: Deployment;
let server: RunningServer;

const serverTls = selfSigned('smdpf');
const VIEWER = caller('2.999.90', 'viewer');
const ADMINISTRATOR = caller('2.999.91', 'administrator');
const parties = [OPERATOR, DEVICE_MAKER, EUM, VIEWER, ADMINISTRATOR].map((party) => ({
  ...party,
  tls: selfSigned(party.identifier),
}));
const caOption = ['--tls-ca', folder.write('server.pem', serverTls.cert)];

function as(identifier: string): string[] {
  const { tls } = parties.find((party) => party.identifier === identifier) as { tls: SelfSigned };
  return [
    ...['--url', server.urls.parties, '--requester', identifier, ...caOption],
    ...['--tls-cert', folder.write(`${identifier}.cert`, tls.cert)],
    ...['--tls-key', folder.write(`${identifier}.key`, tls.key)],
  ];
}

async function sim(...args: string[]): Promise<CliResult> {
  const result = await runCli('sim', ...args, '--json');
  expect(result.code, result.stdout).toBe(0);
  return result;
}

beforeAll(async () => {
  deployment = await Deployment.create();
  const { services, context } = deployment.runtime;
  for (const { identifier, role, tls } of parties)
    await services.parties.add(tls.fingerprint, { identifier, role }, 'test');
  const { vault } = context;
  if (!(vault instanceof FileVault)) throw new Error('the deployment of tests has a file vault');
  server = await startServer({
    services,
    tls: serverTls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    vault,
    log: () => undefined,
  });
  deployment.eum.ca.save(at('eum'));
  folder.write(join('eum', 'CERT_CI.der'), deployment.ci.certificate);
});

afterAll(async () => {
  await server?.close();
  await deployment?.close();
  folder.remove();
});

it('the sim commands take a profile from the order to the report', {
  tags: ['GENS02', 'ESBPP04', 'ESBPP01'],
}, async () => {
  const order = folder.write(
    'order.json',
    JSON.stringify({
      orderId: 'ORD-1',
      profileType: 'test',
      quantity: QUANTITY,
      requesterDms: [DEVICE_MAKER.identifier],
      personalisation: {
        iccidStart: '890010000000000000',
        imsiStart: '001010000000001',
        keys: 'generate',
      },
      eligibility: {},
      metadata: { serviceProviderName: 'SP', profileName: 'P', profileClass: 'operational' },
      outputKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
    }),
  );
  const template = folder.write('template.der', ownTemplate());
  const ordered = await sim(
    'operator',
    'order',
    '--order',
    order,
    '--template',
    template,
    ...as(OPERATOR.identifier),
  );
  const { iccids } = ordered.json<{ iccids: string[] }>();
  expect(ordered.json()).toMatchObject({ httpStatus: 200, status: 'Executed-Success' });
  const { stdout } = await runCli(
    'sim',
    'operator',
    'status',
    '--order-id',
    'ORD-1',
    ...as(OPERATOR.identifier),
  );
  expect(stdout.match(/\b89[0-9]{17}$/gm)).toEqual(iccids);

  const made = ['--eum', at('eum'), '--count', String(QUANTITY), '--out', at('production')];
  await sim('eum', 'personalise', ...made, '--device-maker', DEVICE_MAKER.identifier);
  const batch = ['--batch', at('production', 'euicc-data.der')];
  await sim('eum', 'register', ...batch, ...as(EUM.identifier));

  const cards = at('production', 'cards');
  const request = ['device-maker', 'request', '--order', 'ORD-1', '--cards', cards, '--out', at('bpps.der')];
  const bound = await sim(...request, ...as(DEVICE_MAKER.identifier));
  expect(bound.json()).toMatchObject({ bound: QUANTITY, failed: [] });

  const line = ['--batch', at('bpps.der'), '--cards', cards, '--journal', at('line.jsonl')];
  const loaded = await sim('factory', 'load', ...line, '--report', at('report.der'));
  const results = loaded.json<{ installed: number; results: { eid: string }[] }>();
  expect(results.installed).toBe(QUANTITY);
  const report = ['device-maker', 'report', '--report', at('report.der'), ...as(DEVICE_MAKER.identifier)];
  expect((await sim(...report)).json()).toMatchObject({ verified: QUANTITY });

  const status = await sim('operator', 'status', '--order-id', 'ORD-1', ...as(OPERATOR.identifier));
  const { items } = status.json<{ items: { iccid: string; eid: string; state: string }[] }>();
  expect(items.map(({ state }) => state)).toEqual(Array(QUANTITY).fill('Installed'));

  const field = ['--url', server.urls.field, ...caOption];
  const [first] = items;
  const card = join(cards, `${first!.eid}.json`);
  await sim('euicc', 'delete-keys', '--card', card);
  const sent = await sim('euicc', 'notifications', '--card', card, ...field);
  expect(sent.json()).toMatchObject({ sent: [{ httpStatus: 204 }] });
  expect((await sim('euicc', 'show', '--card', card)).json()).toMatchObject({ notifications: [] });
});

it('a call that the server refuses ends with exit code 1 and its codes', async () => {
  const cancel = ['sim', 'operator', 'cancel', '--order-id', 'NONE', '--json', ...as(OPERATOR.identifier)];
  const cancelled = await runCli(...cancel);
  expect(cancelled.code).toBe(1);
  expect(cancelled.json()).toMatchObject({
    error: { code: 'orderUnknown', subjectCode: '8.8.5', reasonCode: '3.9', message: 'no such order' },
  });
  const batch = folder.write('none.der', Buffer.from('ff6000', 'hex'));
  const registered = await runCli(
    'sim',
    'eum',
    'register',
    '--batch',
    batch,
    '--json',
    ...as(EUM.identifier),
  );
  expect(registered.code).toBe(1);
  expect(registered.json()).toMatchObject({ status: 'Failed', subjectCode: '1.3.1' });
});

it('sim operator listen shows callbacks and ends after --count of them', async () => {
  const launcher = fileURLToPath(new URL('../../cli/smdpf.mjs', import.meta.url));
  const args = [launcher, 'sim', 'operator', 'listen', '--count', '1', '--fail-first', '1', '--json'];
  const child = spawn(process.execPath, args);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      const found = /http:\S+/.exec(chunk.toString('utf8'));
      if (found) resolve(found[0]);
    });
    child.on('close', () => reject(new Error('it ended before it listened')));
  });
  const call = () => fetch(url, { method: 'POST', body: JSON.stringify({ orderId: 'ORD-1' }) });
  expect((await call()).status).toBe(503);
  expect((await call()).status).toBe(204);
  expect(await ended).toBe(0);
  expect(JSON.parse(out)).toEqual({ calls: 2, received: [{ orderId: 'ORD-1' }], refused: [] });
});

describe('people who are no simulation, each under the context of their party', () => {
  const env = { SMDPF_CONTEXTS: at('contexts.json') };
  const eids: string[] = [];

  beforeAll(async () => {
    for (const { identifier, role } of parties) {
      const [, url, , , , ca, , cert, , key] = as(identifier);
      const given = { url, ca, requester: identifier, cert, key };
      const options = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value!]);
      expect((await runCliIn(env, 'context', 'add', role, ...options)).code).toBe(0);
    }
    // those of the simulated production have the serial numbers before
    const euiccs = Array.from({ length: QUANTITY + 2 }, () => deployment.eum.personalise()).slice(QUANTITY);
    eids.push(...euiccs.map(({ eid }) => eid));
    folder.write('eids.txt', eids.join('\n'));
    const entitled = { deviceManufacturers: [DEVICE_MAKER.identifier] };
    folder.write('euicc-data.der', deployment.eum.euiccDataBatch(euiccs, entitled));
    folder.write('template.der', ownTemplate());
    const order = {
      orderId: 'ORD-2',
      profileType: 'test',
      quantity: 3,
      requesterDms: [DEVICE_MAKER.identifier],
      personalisation: { iccidStart: '890010000000001000', keys: 'template' },
      eligibility: {},
      metadata: { serviceProviderName: 'SP', profileName: 'P', profileClass: 'test' },
    };
    folder.write('order-2.json', JSON.stringify(order));
  });

  const under = (context: string, ...args: string[]) => runCliIn(env, ...args, '--context', context);

  async function good(context: string, ...args: string[]): Promise<CliResult> {
    const result = await under(context, ...args);
    expect(result.code, result.stdout + result.stderr).toBe(0);
    return result;
  }

  it('an order goes from its Operator to the report of the line, and is looked at on its way', async () => {
    const placed = await good(
      'operator',
      'order',
      'place',
      '--order',
      at('order-2.json'),
      '--template',
      at('template.der'),
      '--wait',
    );
    expect(placed.stdout).toMatch(/^state +Open$/m);
    expect(placed.stdout).toMatch(/^iccids +890010000000001000\d to 89/m);

    const taken = await good('eum', 'register', at('euicc-data.der'), '--wait', '--json');
    expect(taken.json()).toMatchObject({ state: 'Done', entries: 2, accepted: 2, rejectedCount: 0 });

    const asked = ['request', 'send', '--order', 'ORD-2', '--eids', at('eids.txt'), '--request-id', '0a0b'];
    const bound = await good('deviceMaker', ...asked, '--wait', '--out', at('batch'));
    expect(bound.stdout).toMatch(/^state +Done$/m);
    expect(readdirSync(at('batch'))).not.toEqual([]);
    expect((await good('deviceMaker', 'request', 'status', '0a0b', '--json')).json()).toMatchObject({
      items: 2,
      processed: 2,
    });

    const page = (
      await good('viewer', 'order', 'ORD-2', '--profiles', '--state', 'Delivered', '--json')
    ).json<{
      profiles: { transactionId: string; eid: string }[];
    }>();
    expect(page.profiles.map(({ eid }) => eid).sort()).toEqual([...eids].sort());
    const report = encodeProfileLoadingReport({
      reportId: randomBytes(8),
      items: page.profiles.map(({ eid, transactionId }) => ({
        fpaError: { eid, transactionId: Buffer.from(transactionId, 'hex'), cause: 'damaged' },
      })),
    });
    const sent = await good(
      'deviceMaker',
      'report',
      'send',
      folder.write('report.der', report),
      '--wait',
      '--json',
    );
    expect(sent.json()).toMatchObject({ state: 'Done', noted: 2, rejectedCount: 0 });

    expect((await good('operator', 'order', 'status', 'ORD-2')).stdout).toMatch(
      /^profiles +Available 1, Unreported 2$/m,
    );
    expect((await good('operator', 'order', 'close', 'ORD-2')).stdout).toContain('closed');
    expect((await good('operator', 'order', 'report', 'ORD-2')).stdout).toMatch(/signature +holds/);
  });

  it('who looks sees what is stuck and fresh; who administers keeps a party out, and lets it in again', async () => {
    expect((await good('viewer', 'callbacks', 'list')).stdout).toBe('no callback is stuck\n');
    expect((await good('viewer', 'trust', 'crls')).stdout).toMatch(/^fresh /m);
    expect((await good('administrator', 'callbacks', 'replay', '--json')).json()).toEqual({ replayed: 0 });
    const suspended = await good('administrator', 'party', 'suspend', DEVICE_MAKER.identifier, '--json');
    expect(suspended.json()).toEqual({ identifier: DEVICE_MAKER.identifier, certificates: 1 });
    const dry = await under('operator', 'eligibility', 'check', '--order', 'ORD-2', '--eids', at('eids.txt'));
    expect(dry.stdout).toMatch(/^[1-9][0-9]* checked, [0-9]+ would be refused$/m);
    const listed = await good('viewer', 'party', 'list');
    expect(listed.stdout).toMatch(/^2\.999\.50 +deviceMaker +[0-9a-f]{64} +suspended/m);
    const refused = await under('deviceMaker', 'request', 'status', '0a0b', '--json');
    expect([refused.code, refused.json()]).toEqual([1, expect.objectContaining({ status: 'Failed' })]);
    await good('administrator', 'party', 'resume', DEVICE_MAKER.identifier);
    await good('deviceMaker', 'request', 'status', '0a0b');
    expect((await under('viewer', 'party', 'suspend', DEVICE_MAKER.identifier)).code).toBe(1);
  });

  it('what a command line says wrongly is refused with a way out', async () => {
    for (const args of [
      ['request', 'status', 'x'],
      ['request', 'send', '--order', 'ORD-2', '--eids', at('eids.txt'), '--out', at('batch')],
      ['status', '--folder', at('nowhere'), '--url', 'https://127.0.0.1:1'],
    ]) {
      const { code, json } = await runCliIn(env, ...args, '--json');
      expect([code, json<ErrorDocument>().error.code]).toEqual([2, 'usage']);
    }
  });
});
