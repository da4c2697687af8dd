import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HANDLERS } from '../../lambdas/handlers.ts';
import { type FunctionPath, PERMISSIONS } from '../../shared/gsma/permissions.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { Role } from '../../shared/service/services.ts';
import { Deployment } from '../support/deployment.ts';
import { callHandler, codesOf, type JsonAnswer, jsonOf } from '../support/function-call.ts';
import { answerErrors } from '../support/openapi.ts';
import { selfSigned } from '../support/self-signed.ts';

/** Two parties of each role; the second never owns what is asked for. */
const PARTIES = {
  operator: ['2.999.60', '2.999.61'],
  eum: ['2.999.40', '2.999.41'],
  deviceMaker: ['2.999.50', '2.999.51'],
} as const satisfies Partial<Record<Role, readonly [string, string]>>;
type PartyRole = keyof typeof PARTIES;

const certificates = new Map<string, ReturnType<typeof selfSigned>>();
let deployment: Deployment;

async function ask(path: FunctionPath, identifier: string, body: object): Promise<JsonAnswer> {
  const handler = HANDLERS[path](deployment.runtime.services, { log: () => {} });
  const result = await callHandler(handler, path, {
    certificate: certificates.get(identifier)!,
    body: { header: { functionRequesterIdentifier: identifier, functionCallIdentifier: 'C-1' }, ...body },
  });
  const answer = jsonOf(result);
  expect(answerErrors(path, answer)).toBeNull();
  return answer;
}

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');

let eid: string;
let transferId: string;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  const { parties } = deployment.runtime.services;
  for (const [role, identifiers] of Object.entries(PARTIES) as [PartyRole, readonly string[]][]) {
    for (const identifier of identifiers) {
      const certificate = selfSigned(identifier);
      certificates.set(identifier, certificate);
      await parties.add(certificate.fingerprint, { identifier, role }, 'test');
    }
  }

  const order = await ask('es2f.prepareProfiles', '2.999.60', {
    orderId: 'ORD-1',
    profileType: 'test',
    quantity: 2,
    requesterDms: ['2.999.50'],
    template: base64(ownTemplate()),
    personalisation: { iccidStart: '890000000000000000', keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  });
  expect(codesOf(order), JSON.stringify(order)).toBe('Executed-Success');

  const euicc = deployment.eum.personalise({ keys: 2 });
  eid = euicc.eid;
  const batch = await ask('esed1.registerEuiccData', '2.999.40', {
    euiccDataBatch: base64(
      deployment.eum.euiccDataBatch([euicc], { deviceManufacturers: [PARTIES.deviceMaker[0]] }),
    ),
  });
  expect(batch, JSON.stringify(batch)).toMatchObject({ accepted: 1, rejected: [] });

  const bpp = await ask('esbpp.requestBpp', '2.999.50', { bppRequest: base64(requestFor('0a')) });
  expect(bpp, JSON.stringify(bpp)).toMatchObject({ state: 'Done', failed: [] });

  const opened = await ask('esbpp.openTransfer', '2.999.50', {
    purpose: 'bppRequest',
    size: 1,
    sha256: 'ab'.repeat(32),
  });
  transferId = String(opened.transferId);
});

afterAll(() => deployment?.close());

const requestFor = (requestId: string) =>
  encodeBppRequest({
    requestId,
    orderId: 'ORD-1',
    euiccData: undefined,
    items: [{ itemId: 1, eid, keyId: undefined, iccid: undefined, additional: false }],
  });

/** Reaches for what the first party of the role owns; and how the second one is refused, as a whole or by item. */
const REACHES: readonly [FunctionPath, () => object, string][] = [
  ['es2f.getOrderStatus', () => ({ orderId: 'ORD-1' }), '8.8.5/3.9'],
  ['es2f.getOrderOutput', () => ({ orderId: 'ORD-1', pack: 0 }), '8.8.5/3.9'],
  ['es2f.cancelOrder', () => ({ orderId: 'ORD-1', finalProfileStatusIndicator: 'Unavailable' }), '8.8.5/3.9'],
  ['es2f.closeOrder', () => ({ orderId: 'ORD-1' }), '8.8.5/3.9'],
  ['es2f.releaseProfile', () => ({ orderId: 'ORD-1', iccid: '8900000000000000003' }), '8.8.5/3.9'],
  ['es2f.replaceProfile', () => ({ orderId: 'ORD-1', iccid: '8900000000000000003' }), '8.8.5/3.9'],
  ['es2f.getOrderReport', () => ({ orderId: 'ORD-1' }), '8.8.5/3.9'],
  ['esbpp.getBppBatch', () => ({ requestId: '0A' }), '1.6/3.9'],
  ['esbpp.getTransfer', () => ({ requestId: '0A', name: 'part-0' }), '1.6/3.9'],
  ['esbpp.requestBpp', () => ({ transferId }), '1.6/3.9'],
];

describe('a party reaches only what is its own (I7)', () => {
  it.each(REACHES)('%s for what another party owns', async (path, body, codes) => {
    const role = PERMISSIONS[path] as PartyRole;
    expect(codesOf(await ask(path, PARTIES[role][1], body()))).toBe(codes);
  });

  it('requestBpp draws from an order only for the makers that it names', async () => {
    const answer = await ask('esbpp.requestBpp', '2.999.51', { bppRequest: base64(requestFor('0b')) });
    expect(codesOf(answer)).toBe('8.8.5/3.9');
  });

  it('closeKeys closes nothing of an EID that the party is not entitled to', async () => {
    for (const [path, identifier] of [
      ['esbpp.closeKeys', '2.999.51'],
      ['esed1.closeKeys', '2.999.41'],
    ] as const) {
      const answer = await ask(path, identifier, { items: [{ eid }] });
      expect(answer, path).toMatchObject({ closed: 0, refused: [{ eid }] });
      expect(codesOf(answer)).toBe('Executed-WithWarning');
    }
  });

  it('the same orderId and requestId of another party are another order and another request', async () => {
    const other = await ask('esbpp.getBppBatch', '2.999.51', { requestId: '0A' });
    expect(codesOf(other)).toBe('1.6/3.9');
    const own = await ask('esbpp.getBppBatch', '2.999.50', { requestId: '0A' });
    expect(own).toMatchObject({ requestId: '0A', state: 'Done' });
  });

  it('the owner is answered, so that none of the refusals above is for want of the object', async () => {
    expect(codesOf(await ask('es2f.getOrderStatus', '2.999.60', { orderId: 'ORD-1' }))).toBe(
      'Executed-Success',
    );
    expect(await ask('esbpp.closeKeys', '2.999.50', { items: [{ eid }] })).toMatchObject({ closed: 1 });
  });

  it('a revoked certificate is no party from the next call on', async () => {
    const certificate = certificates.get('2.999.61')!;
    await deployment.runtime.services.parties.revoke(certificate.fingerprint, 'test');
    const handler = HANDLERS['es2f.getOrderStatus'](deployment.runtime.services, { log: () => {} });
    const result = await callHandler(handler, 'es2f.getOrderStatus', { certificate, body: {} });
    expect(result.statusCode).toBe(403);
  });
});

it('octets that are no report or notification are refused by the real services too', async () => {
  for (const path of ['esbpp.sendProfileLoadingReport', 'es9plus.handleNotification'] as const) {
    const member = path === 'es9plus.handleNotification' ? 'pendingNotification' : 'profileLoadingReport';
    const answer = await ask(path, '2.999.50', { [member]: base64(randomBytes(40)) });
    expect(codesOf(answer), path).toBe('1.3.1/2.1');
  }
});
