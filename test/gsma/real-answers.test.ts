import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FunctionPath } from '../../shared/gsma/functions/index.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import { decodeBppBatch, encodeBppRequest, encodeProfileLoadingReport } from '../../sim/index.ts';
import { TEMPLATE } from '../service/scenario.ts';
import { Deployment } from '../support/deployment.ts';
import { callHandler, handlerOf, jsonOf } from '../support/function-call.ts';
import { answerErrors, compile, operations, requestOf } from '../support/openapi.ts';
import { type SelfSigned, selfSigned } from '../support/self-signed.ts';
import { Signer } from '../support/signed-decision.ts';

/**
 * Every answer of a whole flow is as openapi.yaml has it, patterns and the case of digits included, and says every member
 * that it may say; so is every request. The services are the real ones.
 */
const PARTIES: Readonly<Record<PartyRole, string>> = {
  operator: '2.999.60',
  eum: '2.999.40',
  deviceMaker: '2.999.50',
  administrator: '2.999.80',
  auditor: '2.999.70',
  viewer: '2.999.90',
};

let deployment: Deployment;
const certificates = new Map<string, SelfSigned>();
const called = new Set<FunctionPath>();

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  for (const [role, identifier] of Object.entries(PARTIES) as [PartyRole, string][]) {
    const certificate = await selfSigned(identifier);
    certificates.set(role, certificate);
    await deployment.runtime.services.parties.add(certificate.fingerprint, { identifier, role }, 'test');
  }
});
afterAll(() => deployment?.close());

type Members = Readonly<Record<string, unknown>>;

/** Calls a function by a party of its role; request and answer are held against the document. */
async function call<Answer extends Members>(path: FunctionPath, members: Members): Promise<Answer> {
  const role = operations.get(path)!.operation['x-role'] as PartyRole;
  const header = { functionRequesterIdentifier: PARTIES[role], functionCallIdentifier: 'C-1' };
  const body = { header, ...members };
  const schema = compile(requestOf(path).content['application/json']!.schema);
  expect(schema(body), `${path} ${JSON.stringify(schema.errors)}`).toBe(true);
  const certificate = certificates.get(role)!;
  const answer = jsonOf(
    await callHandler(handlerOf(path, deployment.runtime.services), path, { certificate, body }),
  );
  expect(answerErrors(path, answer), `${path} ${JSON.stringify(answer)}`).toBeNull();
  expect(answer.header.functionExecutionStatus.status, JSON.stringify(answer)).not.toBe('Failed');
  called.add(path);
  return answer as unknown as Answer;
}

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');
const orderOf = (orderId: string, quantity: number, iccidStart: string): Members => ({
  orderId,
  profileType: 'IoT',
  quantity,
  requesterDms: [PARTIES.deviceMaker, '2.999.59'],
  template: base64(TEMPLATE),
  personalisation: { iccidStart, imsiStart: '001010000000001', keys: 'generate' },
  eligibility: {},
  metadata: {
    serviceProviderName: 'Operator',
    profileName: 'Profile',
    profileClass: 'operational',
    profileOwner: { mccMnc: '00101' },
    notificationConfigurationInfo: [
      { profileManagementOperation: ['install', 'delete'], notificationAddress: 'smdpf.example.com' },
    ],
  },
  callbackUrl: 'https://127.0.0.1:9/callbacks',
  outputKey: { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) },
});

it('from the order to the report, every answer is as the document has it, patterns and case included', {
  tags: ['HTTP-BINDING', 'ESBPP04'],
}, async () => {
  // letters among the digits, so that their case shows
  const keyIds = ['ab', 'cd', 'ef'];
  const euiccs = [...deployment.eum.production(4, 3)];
  const batch = deployment.eum.euiccDataBatch(euiccs, {
    batchId: Buffer.from('ab0c', 'hex'),
    deviceManufacturers: [PARTIES.deviceMaker],
  });
  const { warnings, iccids } = await call<{ warnings: Members[]; iccids: string[] }>(
    'es2f.prepareProfiles',
    orderOf('ORD-1', 6, '893311000000000000'),
  );
  expect(warnings).toContainEqual(expect.objectContaining({ code: 'partyUnknown' }));
  await call('es2f.getServerKeys', {});
  await call('es2f.openTransfer', { purpose: 'template', size: 9, sha256: 'AB'.repeat(32) });
  await call('es2f.getOrderOutput', { orderId: 'ORD-1', pack: 0 });
  await call('esed1.registerEuiccData', { euiccDataBatch: base64(batch) });
  await call('esed1.openTransfer', { purpose: 'euiccData', size: 9, sha256: 'ab'.repeat(32) });
  await call('es2f.checkEligibility', {
    orderId: 'ORD-1',
    eids: [euiccs[0]!.eid, deployment.eum.personalise().eid],
  });

  const requestId = Buffer.from('ab0d', 'hex');
  const items = [...euiccs, deployment.eum.personalise()].map(({ eid }, itemId) => ({ itemId, eid }));
  const bppRequest = base64(encodeBppRequest({ requestId, orderId: 'ORD-1', items }));
  const { bppBatch, failed } = await call<{ bppBatch: string; failed: Members[] }>('esbpp.requestBpp', {
    bppRequest,
  });
  expect(failed).toHaveLength(1);
  await call('esbpp.getBppBatch', { requestId: 'ab0d' });
  await call('esbpp.getServerKeys', {});
  await call('esbpp.openTransfer', { purpose: 'bppRequest', size: 9, sha256: 'ab'.repeat(32) });

  const bound = decodeBppBatch(Buffer.from(bppBatch, 'base64')).items.flatMap((item) =>
    'bound' in item ? [{ eid: item.eid, ...item.bound }] : [],
  );
  expect(bound).toHaveLength(4);
  const word = ({ eid, transactionId }: (typeof bound)[number]) =>
    ({ fpaError: { transactionId, eid, cause: 'damaged' } }) as const;
  const foreign = { ...bound[0]!, transactionId: Buffer.alloc(16, 0xab) };
  const report = encodeProfileLoadingReport({
    reportId: Buffer.from('ab0e', 'hex'),
    items: [word(bound[0]!), word(foreign)],
  });
  const sent = await call<Members>('esbpp.sendProfileLoadingReport', {
    profileLoadingReport: base64(report),
  });
  expect(sent).toMatchObject({ reportId: 'AB0E', noted: 1, rejectedCount: 1 });

  const page = await call<{ items: { iccid: string; state: string }[]; cursor: string }>(
    'es2f.getOrderStatus',
    {
      orderId: 'ORD-1',
      limit: 5,
    },
  );
  const unreported = page.items.find(({ state }) => state === 'Unreported')!;
  await call('es2f.getOrderStatus', { orderId: 'ORD-1', cursor: page.cursor });
  await call('es2f.replaceProfile', { orderId: 'ORD-1', iccid: `${unreported.iccid}f`.slice(0, 20) });
  await call('es2f.releaseProfile', { orderId: 'ORD-1', iccid: iccids.at(-1) });
  await call('es2f.getOrderReport', { orderId: 'ORD-1' });
  const indicator = { finalProfileStatusIndicator: 'Unavailable' };
  await call('es2f.cancelOrder', { orderId: 'ORD-1', iccid: unreported.iccid, ...indicator });
  await call('es2f.closeOrder', { orderId: 'ORD-1' });

  await call('esbpp.getDeletionStatement', { items: [{ eid: euiccs[0]!.eid }] });
  const closing = euiccs.map(({ eid }) => ({ eid }));
  const unknown = { eid: deployment.eum.personalise().eid, keyId: keyIds[0] };
  await call('esbpp.closeKeys', { items: [...closing, unknown] });
  await call('esed1.closeKeys', { items: [...closing, unknown] });
  await call('admin.openTransfer', { purpose: 'crl', size: 9, sha256: 'ab'.repeat(32) });
  await call('admin.addCrl', { crl: base64(deployment.ci.issueCrl({ number: 2 })) });
  await call('admin.getAuditLines', { limit: 50 });
  await call('admin.replayCallbacks', { orderId: 'ORD-1' });

  await callForPeople(euiccs[0]!.eid, unreported.iccid);
  await signApproval();

  // transfers of parts and results, which need large answers, have tests of their own
  // so has the end of a certificate, and the making of a replacement, which es2f has too
  const apart: FunctionPath[] = [
    'es9plus.handleNotification',
    'esbpp.getTransfer',
    'esed1.getTransfer',
    'ops.replaceProfile',
    'ops.retireCertificate',
  ];
  expect([...called, ...apart].sort()).toEqual([...operations.keys()].sort());
});

/** What an Operator's people see of the same flow, and what its administrators change. */
async function callForPeople(eid: string, iccid: string): Promise<void> {
  await deployment.runtime.audit.chain();
  for (const path of ['getOverview', 'getHealth', 'listParties', 'listTrust'] as const)
    await call(`ops.${path}`, {});
  for (const list of [
    'Orders',
    'Jobs',
    'Ingests',
    'Reports',
    'Failures',
    'Calls',
    'KeysLeft',
    'AuditLines',
  ] as const)
    await call(`ops.list${list}`, { limit: 2 });
  const { jobs } = await call<{ jobs: { jobId: string }[] }>('ops.listJobs', {});
  await call('ops.getJob', { jobId: jobs[0]?.jobId });
  await call('ops.getOrder', { orderId: 'ORD-1' });
  await call('ops.listProfiles', { orderId: 'ORD-1' });
  await call('ops.listCallbacks', { state: 'waiting' });
  await call('ops.countFailures', {});
  await call('ops.listExpiring', { days: 36_500 });
  await call('ops.exportAuditLines', { format: 'csv' });
  await call('ops.findDevice', { eid });
  const { transactionId } = await call<{ transactionId: string }>('ops.findProfile', { iccid });
  await call('ops.findProfile', { transactionId });
  await call('ops.findRequest', { requestId: 'AB0D' });
  await call('ops.getReport', { party: PARTIES.deviceMaker, reportId: 'AB0E' });
  for (const change of ['suspendParty', 'resumeParty'] as const)
    await call(`ops.${change}`, { identifier: PARTIES.eum });
  const { iccids } = await call<{ iccids: string[] }>(
    'es2f.prepareProfiles',
    orderOf('ORD-2', 2, '893311000000000100'),
  );
  await call('ops.cancelOrder', { orderId: 'ORD-2', iccid: iccids[0] });
  await call('ops.closeOrder', { orderId: 'ORD-2' });
}

/** One administrator asks for what takes two. */
async function signApproval(): Promise<void> {
  const { dualControl } = deployment.runtime;
  const [anna, ben] = [new Signer('anna'), new Signer('ben')];
  for (const { name, publicKey } of [anna, ben])
    await dualControl.administrators.add(name, publicKey, 'test');
  await dualControl.setPolicy({ actions: ['key.retire'], hours: 24 }, 'test');
  const decision = anna.sign(
    {
      deployment: deployment.config.deployment,
      request: 'ab'.repeat(16),
      action: 'key.retire',
      subject: 'ab'.repeat(32),
      decision: 'request',
    },
    Date.now(),
  );
  const { approval } = await call<Members>('ops.signApproval', { decision });
  expect((await call<{ approvals: Members[] }>('ops.listApprovals', {})).approvals).toEqual([approval]);
}
