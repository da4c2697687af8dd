import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../cli/server/server.ts';
import type { Check } from '../../conform/conformity.ts';
import { SERVER_RULES } from '../../conform/server/rules.ts';
import { conformServer } from '../../conform/server/server.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { FileVault } from '../../shared/vault/file.ts';
import { Folder } from '../cli/support/binding-bench.ts';
import { runCli } from '../cli/support/cli.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { effort, LONG } from '../support/effort.ts';
import { selfSigned } from '../support/self-signed.ts';
import { type Fault, FaultyServer } from './faulty-server.ts';
import { SERVER_FAULTS } from './server-faults.ts';

let deployment: Deployment;
let server: RunningServer;
/** Items whose answer has three pages. */
const LARGE = 11;

const serverTls = selfSigned('smdpf');
const parties = [OPERATOR, DEVICE_MAKER, EUM].map((party) => ({
  ...party,
  tls: selfSigned(party.identifier),
}));

beforeAll(async () => {
  // small enough that eleven items have pages, and those of the other requests come in one piece
  const port = await freePort();
  const transfers = {
    publicUrl: `https://127.0.0.1:${port}`,
    transferSecret: randomBytes(32).toString('hex'),
  };
  const config = { chunkSize: 5, manifest: { whole: 2, page: 1 }, ...transfers };
  deployment = await Deployment.create({ memory: true, config });
  const { services, context } = deployment.runtime;
  for (const { identifier, role, tls } of parties)
    await services.parties.add(tls.fingerprint, { identifier, role }, 'test');
  const { vault } = context;
  if (!(vault instanceof FileVault)) throw new Error('the deployment of tests has a file vault');
  const listen = { host: '127.0.0.1', port };
  server = await startServer({
    services,
    tls: serverTls,
    listen,
    field: { port: 0 },
    vault,
    log: () => undefined,
  });
});

afterAll(async () => {
  await server?.close();
  await deployment?.close();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function judge(baseUrl: string): Promise<readonly Check[]> {
  const [operator, maker, eum] = parties.map(({ identifier, tls }) => ({
    baseUrl,
    functionRequesterIdentifier: identifier,
    tls: { ca: serverTls.cert, cert: tls.cert, key: tls.key },
  }));
  const simEum = deployment.eum;
  return conformServer({
    operator: operator!,
    maker: maker!,
    eum: eum!,
    simEum,
    template: ownTemplate(),
    large: LARGE,
  });
}

async function judgeWith(fault: Fault): Promise<readonly Check[]> {
  const own = parties.map(({ tls }) => tls);
  const faulty = await FaultyServer.start(server.urls.parties, serverTls, own, fault);
  try {
    return await judge(faulty.url);
  } finally {
    await faulty.stop();
  }
}

const not = (result: Check['result'], checks: readonly Check[]) =>
  checks.filter((check) => check.result !== result);

it('our server passes every check of the interface, as smdpf conform server tells', async () => {
  const folder = new Folder();
  try {
    for (const { role, identifier, tls } of parties) {
      folder.write(`client-${role}-${identifier}.cert.pem`, tls.cert);
      folder.write(`client-${role}-${identifier}.key.pem`, tls.key);
    }
    folder.write('ca.cert.pem', serverTls.cert);
    folder.write('CERT_CI.der', deployment.ci.certificate);
    deployment.eum.ca.save(folder.path);
    // behind the EIDs that the other runs of this file make
    folder.write('next-serial', '100000');
    const where = ['--url', server.urls.parties, '--tls', folder.path, '--eum', folder.path];
    const who = ['--operator', OPERATOR.identifier, '--device-maker', DEVICE_MAKER.identifier];
    const { code, json } = await runCli(
      ...['conform', 'server', '--json', ...where, ...who, '--eum-party', EUM.identifier],
      ...['--large', String(LARGE)],
    );
    const { checks } = json<{ checks: Check[] }>();
    expect(not('passed', checks)).toEqual([]);
    expect(code).toBe(0);
    expect(checks.map(({ id }) => id)).toEqual(Object.keys(SERVER_RULES));
  } finally {
    folder.remove();
  }
});

it.runIf(LONG)('what stands before our server and does nothing wrong passes too', async () => {
  expect(not('passed', await judgeWith({}))).toEqual([]);
});

describe('a server with one deliberate fault', () => {
  it('is tried with twelve faults and more', () => {
    expect(SERVER_FAULTS.length).toBeGreaterThanOrEqual(12);
  });

  it.each(SERVER_FAULTS.slice(0, effort({ short: 1, long: SERVER_FAULTS.length })))(
    'that $what is found by $rule',
    async ({ rule, ...fault }) => {
      const failed = (await judgeWith(fault)).filter(({ result }) => result === 'failed');
      expect(failed.map(({ id }) => id)).toContain(rule);
      for (const { findings, wayOut } of failed) {
        expect(findings[0]).toMatchObject({
          expected: expect.stringMatching(/./),
          seen: expect.stringMatching(/./),
        });
        expect(wayOut).toMatch(/./);
      }
    },
  );
});
