import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_FUNCTIONS, type FunctionNeeds } from '../../lib/functions.ts';
import type { FunctionPath } from '../../shared/gsma/functions/index.ts';
import { NO_PORT } from '../../shared/no-port.ts';
import { openRuntime, type Runtime } from '../../shared/runtime.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { parkedNotice } from '../../shared/service/records/notice.ts';
import type { PpkVault, Vault } from '../../shared/vault/vault.ts';
import { signInstallationResult } from '../../sim/euicc/results.ts';
import { encodeProfileLoadingReport, type PersonalisedEuicc } from '../../sim/index.ts';
import { boundOf, prepare, Request, registered, TEMPLATE } from '../service/scenario.ts';
import { caller, DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';

/**
 * Every function of the interfaces, run with the ports that it is granted (lib/functions.ts) and none besides: it does
 * its work with them, and needs each of them. What emulators do not enforce is held here.
 */
const ADMINISTRATOR = caller('2.999.70', 'administrator');

let deployment: Deployment;
let euiccs: PersonalisedEuicc[];
const CALLBACK = { callbackUrl: 'https://127.0.0.1:9/' };
const ORDERS = ['GRANTS', 'CANCEL', 'CLOSE', 'REPLACE', 'OPS-CANCEL', 'OPS-CLOSE', 'OPS-REPLACE'] as const;

beforeAll(async () => {
  deployment = await Deployment.create({
    config: { packSize: 4, chunkSize: 2, inlineOrder: 8, inlineReport: 2 },
  });
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const outputKey = publicKey.export({ format: 'jwk' }) as Record<string, unknown>;
  for (const orderId of ORDERS) await prepare(deployment, orderId, 8, { outputKey, ...CALLBACK });
  // more than are told of within the call
  for (const orderId of ['CANCEL-9', 'CLOSE-9', 'OPS-CANCEL-9', 'OPS-CLOSE-9']) {
    await prepare(deployment, orderId, 9, CALLBACK);
    for (let pack = 0; pack < 3; pack++) await deployment.runtime.work.runTask('order', orderId, pack);
    await deployment.runtime.work.finish('order', orderId);
  }
  euiccs = await registered(deployment, 12, { keys: 4 });
  const other = { identifier: '2.999.99', role: 'eum' } as const;
  await deployment.runtime.services.parties.add('99'.repeat(32), other, 'test');
}, 60_000);
afterAll(() => deployment?.close());

type Port = 'vaultRead' | 'vaultWrite' | 'ppks' | 'dispatcher' | 'notifier';

/** Which methods of the vault only look. */
const LOOKING = new Set(['get', 'getStream', 'head', 'list', 'names', 'downloadUrl']);

function watched<Store extends object>(store: Store, call: (method: string) => void): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (name === 'close') return async () => undefined;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        call(String(name));
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** The services with the ports of one function, and what of them it used. */
async function limited({ vault, ppks, dispatcher, notifier }: FunctionNeeds) {
  const used = new Set<Port>();
  const { context, keys } = deployment.runtime;
  const stores: { vault?: Vault; ppks?: PpkVault } = {};
  if (vault !== undefined)
    stores.vault = watched(context.vault, (method) => {
      const port = LOOKING.has(method) ? 'vaultRead' : 'vaultWrite';
      if (port === 'vaultWrite' && vault === 'read') throw new Error(`vault.${method} was not granted`);
      used.add(port);
    });
  if (ppks !== undefined) stores.ppks = watched(context.ppks, () => used.add('ppks'));
  const runtime = await openRuntime(
    {
      ...deployment.config,
      ...(vault === undefined ? { vault: NO_PORT } : {}),
      ...(ppks === undefined ? { ppks: NO_PORT } : {}),
      dispatcher: dispatcher === undefined ? NO_PORT : 'threads',
      notifier: notifier === undefined ? NO_PORT : 'ledger',
    },
    {
      stores: { ledger: watched(context.ledger, () => undefined), ...stores },
      keys: watched(keys, () => undefined),
      lanes: 'none',
    },
  );
  // shared objects of the runtime: what a service does with them is what counts
  const tell = (port: Port, method: string, of: object) => {
    const real = (of as Record<string, (...args: unknown[]) => unknown>)[method]!.bind(of);
    (of as Record<string, unknown>)[method] = (...args: unknown[]) => {
      used.add(port);
      return real(...args);
    };
  };
  if (dispatcher !== undefined) tell('dispatcher', 'submit', runtime.context.dispatcher);
  if (notifier !== undefined) tell('notifier', 'wake', runtime.context.notifier);
  used.clear();
  return { runtime, used };
}

const eid = (n: number) => euiccs[n]!.eid;
const upload = { size: 3, sha256: 'a'.repeat(64) };

async function boundItem(n: number, orderId = 'GRANTS') {
  const answer = await new Request(orderId, [{ eid: eid(n), additional: true }]).send(deployment.runtime);
  return boundOf(answer)[0]!;
}

async function wordsAbout(n: number, count: number, orderId?: string) {
  const { bound } = await boundItem(n, orderId);
  const word = { fpaError: { transactionId: bound.transactionId, eid: eid(n), cause: 'damaged' as const } };
  return {
    bound,
    report: encodeProfileLoadingReport({ reportId: randomBytes(8), items: Array(count).fill(word) }),
  };
}

async function resultOf(n: number) {
  const { bound } = await boundItem(n);
  const notification = { seqNumber: 1, event: 'install', address: '', iccid: bound.iccid } as const;
  const finalResult = { isdpAid: Buffer.from('a0000005591010ffffffff8900001000', 'hex') };
  const { transactionId } = bound;
  return signInstallationResult(
    { transactionId, notification, smdpOid: '2.999.10', finalResult },
    euiccs[n]!.key,
  );
}

async function unknownPart(transfers: Services['transfers'], by: Caller, name: string) {
  const asked = transfers.getTransfer(by, { requestId: '00', name });
  await expect(asked).rejects.toMatchObject({ code: 'requestUnknown' });
}

/** What each function does when it is called, once or in the ways that differ in what they need. */
const WORK: Readonly<Record<FunctionPath, (services: Services) => Promise<unknown>>> = {
  'es2f.prepareProfiles': async ({ orders }) => {
    await orders.prepareProfiles(OPERATOR, deployment.order('SMALL', 2, TEMPLATE));
    await orders.prepareProfiles(OPERATOR, deployment.order('LARGE', 9, TEMPLATE));
  },
  'es2f.cancelOrder': async ({ orders }) => {
    for (const orderId of ['CANCEL', 'CANCEL-9']) await orders.cancelOrder(OPERATOR, { orderId });
  },
  'es2f.getOrderStatus': ({ orders }) => orders.getOrderStatus(OPERATOR, { orderId: 'GRANTS' }),
  'es2f.getOrderOutput': ({ orders }) => orders.getOrderOutput(OPERATOR, { orderId: 'GRANTS', pack: 0 }),
  'es2f.closeOrder': async ({ orders }) => {
    for (const orderId of ['CLOSE', 'CLOSE-9']) await orders.closeOrder(OPERATOR, { orderId });
  },
  'es2f.releaseProfile': async ({ orders }) => {
    const { items } = await orders.getOrderStatus(OPERATOR, { orderId: 'GRANTS' });
    const { iccid } = items.at(-1)!;
    await orders.releaseProfile(OPERATOR, { orderId: 'GRANTS', iccid });
  },
  'es2f.replaceProfile': async ({ orders }) => {
    const { report, bound } = await wordsAbout(0, 1, 'REPLACE');
    await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    // the supply is exhausted, so that a profile has to be made
    const others = Array.from({ length: 7 }, (_, n) => ({ eid: eid(n + 1), additional: true }));
    for (const item of others) await new Request('REPLACE', [item]).send(deployment.runtime);
    await orders.replaceProfile(OPERATOR, { orderId: 'REPLACE', iccid: bound.iccid });
  },
  'es2f.getOrderReport': ({ orders }) => orders.getOrderReport(OPERATOR, { orderId: 'GRANTS' }),
  'es2f.getServerKeys': ({ orders }) => orders.getServerKeys(OPERATOR),
  'es2f.openTransfer': ({ transfers }) => transfers.openTransfer(OPERATOR, { purpose: 'rows', ...upload }),
  'es2f.checkEligibility': ({ eligibility }) =>
    eligibility.checkEligibility(OPERATOR, { orderId: 'GRANTS', eids: [eid(9)] }),
  'esed1.registerEuiccData': ({ ingest }) => {
    const deviceManufacturers = [DEVICE_MAKER.identifier];
    const batch = deployment.eum.euiccDataBatch([deployment.eum.personalise()], { deviceManufacturers });
    return ingest.registerEuiccData(EUM, batch);
  },
  'esed1.closeKeys': ({ ingest }) => ingest.closeKeys(EUM, [{ eid: eid(11) }]),
  'esed1.openTransfer': ({ transfers }) => transfers.openTransfer(EUM, { purpose: 'euiccData', ...upload }),
  'esed1.getTransfer': ({ transfers }) => unknownPart(transfers, EUM, 'rejected'),
  'esbpp.requestBpp': async (services) => {
    await new Request('GRANTS', [{ eid: eid(4) }]).send({ services } as Runtime);
    const many = [5, 6, 7].map((n) => ({ eid: eid(n), additional: true }));
    expect((await new Request('GRANTS', many).send({ services } as Runtime)).state).toBe('Pending');
  },
  'esbpp.getBppBatch': async (services) => {
    const request = new Request('GRANTS', [{ eid: eid(8), additional: true }]);
    await request.send(deployment.runtime);
    await request.fetch({ services } as Runtime);
  },
  'esbpp.closeKeys': ({ ingest }) => ingest.closeKeys(DEVICE_MAKER, [{ eid: eid(10) }]),
  'esbpp.sendProfileLoadingReport': async ({ reports }) => {
    await reports.sendProfileLoadingReport(DEVICE_MAKER, (await wordsAbout(1, 1, 'REPLACE2')).report);
    const { report } = await wordsAbout(2, 3, 'REPLACE2');
    expect(await reports.sendProfileLoadingReport(DEVICE_MAKER, report)).toMatchObject({ state: 'Pending' });
  },
  'esbpp.getServerKeys': ({ orders }) => orders.getServerKeys(DEVICE_MAKER),
  'esbpp.openTransfer': ({ transfers }) =>
    transfers.openTransfer(DEVICE_MAKER, { purpose: 'bppRequest', ...upload }),
  'esbpp.getTransfer': ({ transfers }) => unknownPart(transfers, DEVICE_MAKER, 'parts/00/0-x'),
  'admin.addCrl': ({ administration }) =>
    administration.addCrl(ADMINISTRATOR, { crl: deployment.ci.issueCrl({ number: 7 }), issuerChain: [] }),
  'admin.openTransfer': ({ transfers }) =>
    transfers.openTransfer(ADMINISTRATOR, { purpose: 'crl', ...upload }),
  'esbpp.getDeletionStatement': ({ statements }) =>
    statements.getDeletionStatement(DEVICE_MAKER, { eids: [eid(0)] }),
  'admin.replayCallbacks': async ({ callbacks }) => {
    const { context } = deployment.runtime;
    const notice = {
      orderId: 'GRANTS',
      url: 'https://operator.example',
      content: '{}',
      createdAt: 0,
      attempts: 36,
      dueAt: 0,
      parkedAt: 0,
    };
    const put = ledgerKeys.parkedNotice('GRANTS#N-1');
    await context.ledger.write({ put, attributes: parkedNotice.to(notice), when: 'absent' });
    await callbacks.replayCallbacks(ADMINISTRATOR.identifier, { limit: 10 });
  },
  'admin.getAuditLines': ({ audit }) => audit.getAuditLines({ from: 1, limit: 10 }),
  'es9plus.handleNotification': async ({ reports }) => reports.handleNotification(await resultOf(3)),
  'ops.getOverview': ({ inventory }) => inventory.getOverview(),
  'ops.getHealth': ({ inventory }) => inventory.getHealth(),
  'ops.listOrders': ({ inventory }) => inventory.listOrders({}),
  'ops.getOrder': ({ inventory }) => inventory.getOrder({ orderId: 'GRANTS' }),
  'ops.listProfiles': ({ inventory }) => inventory.listProfiles({ orderId: 'GRANTS' }),
  'ops.listJobs': ({ inventory }) => inventory.listJobs({}),
  'ops.getJob': async ({ inventory }) => {
    const { jobs } = await inventory.listJobs({ limit: 1 });
    for (const { jobId } of jobs) await inventory.getJob({ jobId });
  },
  'ops.listIngests': ({ inventory }) => inventory.listIngests({}),
  'ops.listReports': ({ inventory }) => inventory.listReports({}),
  'ops.getReport': async ({ inventory }) => {
    const { reports } = await inventory.listReports({ limit: 1 });
    for (const { party, reportId } of reports) await inventory.getReport({ party, reportId });
  },
  'ops.listParties': ({ inventory }) => inventory.listParties(),
  'ops.listCallbacks': ({ inventory }) => inventory.listCallbacks({ state: 'waiting' }),
  'ops.findDevice': ({ inventory }) => inventory.findDevice({ eid: eid(0) }),
  'ops.findProfile': async ({ inventory }) => {
    const { profiles } = await inventory.listProfiles({ orderId: 'GRANTS', limit: 1 });
    for (const { iccid } of profiles) await inventory.findProfile({ iccid });
  },
  'ops.findRequest': ({ inventory }) => inventory.findRequest({ requestId: '0102' }),
  'ops.listFailures': ({ inventory }) => inventory.listFailures({}),
  'ops.countFailures': ({ inventory }) => inventory.countFailures({}),
  'ops.listExpiring': async ({ inventory }) => {
    await deployment.runtime.services.administration.addCrl(ADMINISTRATOR, {
      crl: deployment.ci.issueCrl({ number: 8 }),
      issuerChain: [],
    });
    await inventory.listExpiring({ days: 90 });
  },
  'ops.listKeysLeft': ({ inventory }) => inventory.listKeysLeft({}),
  'ops.listCalls': ({ inventory }) => inventory.listCalls({}),
  'ops.listTrust': ({ inventory }) => inventory.listTrust(),
  'ops.listApprovals': ({ inventory }) => inventory.listApprovals(),
  'ops.listAuditLines': ({ inventory }) => inventory.listAuditLines({}),
  'ops.exportAuditLines': ({ inventory }) => inventory.exportAuditLines({ format: 'csv' }),
  'ops.cancelOrder': async ({ operations }) => {
    for (const orderId of ['OPS-CANCEL', 'OPS-CANCEL-9'])
      await operations.cancelOrder(ADMINISTRATOR, { orderId });
  },
  'ops.closeOrder': async ({ operations }) => {
    for (const orderId of ['OPS-CLOSE', 'OPS-CLOSE-9'])
      await operations.closeOrder(ADMINISTRATOR, { orderId });
  },
  'ops.replaceProfile': async ({ operations }) => {
    const { report, bound } = await wordsAbout(0, 1, 'OPS-REPLACE');
    await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    // the supply is exhausted, so that a profile has to be made
    const others = Array.from({ length: 7 }, (_, n) => ({ eid: eid(n + 1), additional: true }));
    for (const item of others) await new Request('OPS-REPLACE', [item]).send(deployment.runtime);
    await operations.replaceProfile(ADMINISTRATOR, { orderId: 'OPS-REPLACE', iccid: bound.iccid });
  },
  'ops.suspendParty': ({ operations }) => operations.suspendParty(ADMINISTRATOR, { identifier: '2.999.99' }),
  'ops.resumeParty': ({ operations }) => operations.resumeParty(ADMINISTRATOR, { identifier: '2.999.99' }),
  'ops.retireCertificate': async ({ operations }) => {
    const certificate = '00'.repeat(32);
    const retired = operations.retireCertificate(ADMINISTRATOR, { certificate });
    await expect(retired).rejects.toMatchObject({ code: 'noDpChain' });
  },
  'ops.signApproval': async ({ operations }) => {
    const signed = operations.signApproval(ADMINISTRATOR, { decision: 'e30.e30.e30' });
    await expect(signed).rejects.toMatchObject({ code: 'protocolFormat' });
  },
};

/** Needed for a case that takes more than a call here to bring about; says which. */
const NOT_SHOWN: Partial<Record<FunctionPath, readonly Port[]>> = {
  // rows that came encrypted are removed with their order
  'es2f.cancelOrder': ['vaultWrite'],
  'es2f.closeOrder': ['vaultWrite'],
  'ops.cancelOrder': ['vaultWrite'],
  'ops.closeOrder': ['vaultWrite'],
  // a transfer as the body
  'esbpp.sendProfileLoadingReport': ['vaultRead'],
  // parts without what was withheld are written, and signed links are made, for an answer in parts;
  // pages of a large job's manifest are made anew once trust has moved: test/service/esbpp/manifest-tree.test.ts
  'esbpp.getBppBatch': ['vaultWrite', 'dispatcher'],
  'esbpp.getTransfer': ['vaultRead', 'vaultWrite'],
  // all refusals of a batch that has more than an answer lists
  'esed1.getTransfer': ['vaultRead'],
  // a batch of more than a megabyte
  'esed1.registerEuiccData': ['dispatcher'],
  // presigning is no call
  'es2f.openTransfer': ['vaultRead'],
  'esed1.openTransfer': ['vaultRead'],
  'esbpp.openTransfer': ['vaultRead'],
  'admin.openTransfer': ['vaultRead'],
};

function grantedPorts({ vault, ppks, dispatcher, notifier }: FunctionNeeds): Port[] {
  return [
    ...(vault === undefined ? [] : (['vaultRead'] as const)),
    ...(vault === 'write' ? (['vaultWrite'] as const) : []),
    ...(ppks === undefined ? [] : (['ppks'] as const)),
    ...(dispatcher === undefined ? [] : (['dispatcher'] as const)),
    ...(notifier === undefined ? [] : (['notifier'] as const)),
  ];
}

describe('a function does its work with what it is granted, and uses all of it', () => {
  it.each(Object.entries(API_FUNCTIONS) as [FunctionPath, FunctionNeeds][])('%s', async (path, needs) => {
    if (path === 'esbpp.sendProfileLoadingReport') await prepare(deployment, 'REPLACE2', 8);
    const { runtime, used } = await limited(needs);
    await WORK[path](runtime.services);
    const expected = grantedPorts(needs).filter((port) => !NOT_SHOWN[path]?.includes(port));
    expect([...used]).toEqual(expect.arrayContaining(expected));
  });
});
