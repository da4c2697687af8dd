import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { SANDBOX_EUM } from '../../cli/deployment/sandbox.ts';
import { type RunningDeployment, startDeployment } from '../../cli/deployment/start.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import { decodeBppBatch, type PersonalisedEuicc, SimEum } from '../../sim/index.ts';
import { codesOf, type JsonAnswer, jsonOf } from '../support/function-call.ts';
import { SandboxFolder } from './support/sandbox-folder.ts';

// Revocations against a server that runs: by API and by commands beside it, over connections that stay open.

/** A party with one TLS connection that it keeps. */
class Party {
  readonly identifier: string;
  readonly fingerprint: string;
  readonly #agent: Agent;

  private constructor(identifier: string, fingerprint: string, agent: Agent) {
    this.identifier = identifier;
    this.fingerprint = fingerprint;
    this.#agent = agent;
  }

  static async register(role: PartyRole, identifier: string): Promise<Party> {
    const { json } = await sandbox.run('party', 'add', identifier, '--role', role, '--issue');
    const { issued, fingerprint } = json<{
      fingerprint: string;
      issued: { certificate: string; key: string };
    }>();
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: server.pki.caCertificate,
      cert: readFileSync(issued.certificate),
      key: readFileSync(issued.key),
    });
    return new Party(identifier, fingerprint, agent);
  }

  call(path: string, body: object): Promise<{ status: number; answer: JsonAnswer; port: number }> {
    const header = { functionRequesterIdentifier: this.identifier, functionCallIdentifier: 'C-1' };
    return new Promise((resolve, reject) => {
      let port = 0;
      const outgoing = request(
        `${server.urls.parties}/ifpp-draft1/${path}`,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0' },
        },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode ?? 0, answer: jsonOf({ body: text }), port });
        },
      );
      outgoing.on('socket', (socket) => {
        port = (socket as TLSSocket).localPort ?? 0;
        if (port === 0) socket.once('secureConnect', () => (port = (socket as TLSSocket).localPort ?? 0));
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify({ header, ...body }));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

let sandbox: SandboxFolder;
let server: RunningDeployment;
const log: Readonly<Record<string, unknown>>[] = [];
const alarms = () => log.map(({ event }) => String(event)).filter((event) => event.startsWith('alarm.'));
const parties: Party[] = [];
let operator: Party;
let maker: Party;
let eumParty: Party;
let administrator: Party;
let auditor: Party;

beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  const folder = await DeploymentFolder.open(sandbox.folder);
  server = await startDeployment(folder, (record) => log.push(record), { port: 0, fieldPort: 0 });
  operator = await Party.register('operator', '2.999.60');
  maker = await Party.register('deviceMaker', '2.999.50');
  eumParty = await Party.register('eum', SANDBOX_EUM);
  administrator = await Party.register('administrator', '2.999.80');
  auditor = await Party.register('auditor', '2.999.70');
  parties.push(operator, maker, eumParty, administrator, auditor);
  const { answer } = await operator.call('es2f/prepareProfiles', {
    orderId: 'ORD-1',
    profileType: 'test',
    quantity: 8,
    requesterDms: [maker.identifier],
    template: base64(ownTemplate()),
    personalisation: { iccidStart: '890000000000000000', keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  });
  expect(answer, JSON.stringify(answer)).toMatchObject({ state: 'Open' });
});
afterAll(async () => {
  for (const party of parties) party.close();
  await server?.close();
  await sandbox?.remove();
});

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');

async function registered(eum: SimEum): Promise<PersonalisedEuicc> {
  const euicc = eum.personalise({ keys: 2 });
  const batch = eum.euiccDataBatch([euicc], { deviceManufacturers: [maker.identifier] });
  const { answer } = await eumParty.call('esed1/registerEuiccData', { euiccDataBatch: base64(batch) });
  expect(answer, JSON.stringify(answer)).toMatchObject({ accepted: 1 });
  return euicc;
}

/** "bound", or the codes of the refusal, for each eUICC. */
async function bind(requestId: string, ...euiccs: readonly PersonalisedEuicc[]): Promise<string[]> {
  const items = euiccs.map(({ eid }, i) => ({
    itemId: i + 1,
    eid,
    keyId: undefined,
    iccid: undefined,
    additional: true,
  }));
  const der = encodeBppRequest({ requestId, orderId: 'ORD-1', euiccData: undefined, items });
  return outcomesOf((await maker.call('esbpp/requestBpp', { bppRequest: base64(der) })).answer);
}

const outcomesOf = ({ bppBatch }: JsonAnswer) =>
  decodeBppBatch(Buffer.from(String(bppBatch), 'base64')).items.map(({ failed }) =>
    failed === undefined ? 'bound' : `${failed.subjectCode}/${failed.reasonCode}`,
  );

async function secondEum(): Promise<SimEum> {
  const ca = sandbox.ci.issueEum({ organization: 'Second EUM', iin: '89033023' });
  const file = await sandbox.file('second.der', ca.certificate);
  const { code } = await sandbox.run('trust', 'allow-eum', file, '--party', SANDBOX_EUM);
  expect(code).toBe(0);
  return new SimEum({ ca, ci: sandbox.ci.certificate });
}

describe('an EUM revoked by the list that an administrator brings to the API', {
  tags: ['INO2', 'EUMS01', 'I6'],
}, () => {
  it('is stopped between ingest and bind, and between bind and delivery; other EUMs go on; the alarm is raised', async () => {
    const other = await secondEum();
    const [first, late] = [await registered(sandbox.eum), await registered(sandbox.eum)];
    const [unaffected, fresh] = [await registered(other), await registered(other)];
    expect(await bind('01', first, unaffected)).toEqual(['bound', 'bound']);
    expect(alarms()).toEqual([]);

    const { serialNumber } = decodeCertificate(sandbox.eum.ca.certificate);
    const crl = base64(sandbox.ci.issueCrl({ number: 2, revoked: [serialNumber] }));
    const taken = await administrator.call('admin/addCrl', { crl });
    expect(taken.answer).toMatchObject({ isNew: true, number: '2', revoked: 1 });
    expect(taken.answer.revokedEums).toHaveLength(1);

    expect(await bind('02', late, unaffected), 'between ingest and bind').toEqual(['8.1.2/6.3', 'bound']);
    const again = await maker.call('esbpp/getBppBatch', { requestId: '01' });
    expect(outcomesOf(again.answer), 'between bind and delivery').toEqual(['8.1.2/6.3', 'bound']);
    const dryRun = await operator.call('es2f/checkEligibility', {
      orderId: 'ORD-1',
      eids: [late.eid, fresh.eid],
    });
    expect(dryRun.answer.refused).toMatchObject([{ eid: late.eid, subjectCode: '8.1.2', reasonCode: '6.3' }]);
    expect(new Set(alarms())).toEqual(new Set(['alarm.eum.revoked', 'alarm.eum.refused']));
    expect((await administrator.call('admin/addCrl', { crl })).answer).toMatchObject({ isNew: false });
  });
});

describe('a client certificate revoked by a command beside the server', { tags: ['I7'] }, () => {
  it('names no party from the next call on, on the very connection that it has open', async () => {
    const leaver = await Party.register('deviceMaker', '2.999.51');
    const before = await leaver.call('esbpp/getBppBatch', { requestId: '09' });
    expect([before.status, codesOf(before.answer)]).toEqual([200, '1.6/3.9']);
    expect((await sandbox.run('party', 'revoke', leaver.fingerprint)).code).toBe(0);
    const after = await leaver.call('esbpp/getBppBatch', { requestId: '09' });
    expect([after.status, codesOf(after.answer)]).toEqual([403, '1.1/1.2']);
    expect(after.port, 'the same connection').toBe(before.port);
    leaver.close();
  });
});

describe('the audit functions of the API', { tags: ['DPFS01'] }, () => {
  it('give an auditor the log page by page, which verifies without the server', async () => {
    await server.runtime.audit.chain();
    const lines: object[] = [];
    let head = { sequence: 0, hash: '' };
    do {
      const { answer } = await auditor.call('admin/getAuditLines', { from: lines.length + 1, limit: 7 });
      expect(codesOf(answer)).toBe('Executed-Success');
      lines.push(...(answer.lines as object[]));
      head = answer.head as typeof head;
    } while (lines.length < head.sequence);
    // as an auditor's tool would write them: members in any order
    const file = await sandbox.file(
      'fetched.jsonl',
      lines.map((line) => JSON.stringify(Object.fromEntries(Object.entries(line).reverse()))).join('\n'),
    );
    const { code, json } = await sandbox.run('audit', 'verify', '--lines', file);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ holds: true, head });
    const events = lines.map((line) => (line as { event: string }).event);
    for (const event of ['trust.crl.taken', 'party.revoked', 'chunk.committed', 'call.refused'])
      expect(events).toContain(event);
  });

  it('and those of administrators are all that these roles may call', async () => {
    for (const party of [auditor, administrator]) {
      const { status, answer } = await party.call('es2f/getOrderStatus', { orderId: 'ORD-1' });
      expect([status, codesOf(answer)]).toEqual([200, '1.1/1.2']);
    }
    const { answer } = await auditor.call('admin/addCrl', { crl: 'MAA=' });
    expect(codesOf(answer)).toBe('1.1/1.2');
  });
});
