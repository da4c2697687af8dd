import { describe, expect, it } from 'vitest';
import { fromHex } from '../../shared/codec/bytes.ts';
import { eidWithCheckDigits } from '../../shared/codec/eid.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { Fault, refuse } from '../../shared/errors.ts';
import type { FunctionPath } from '../../shared/gsma/functions/index.ts';
import { MAX_BODY } from '../../shared/gsma/limits.ts';
import { decodeBppBatch } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { encodeProfileLoadingReport } from '../../shared/ifpp-draft1/profile-loading-report.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import type { Services } from '../../shared/service/api/services.ts';
import {
  callHandler,
  codesOf,
  eventFor,
  handlerOf,
  jsonOf,
  type TestCall,
} from '../support/function-call.ts';
import { IDENTIFIERS, type MemoryServices, memoryServices } from '../support/memory-services.ts';
import { selfSigned } from '../support/self-signed.ts';

const certificates = {
  operator: selfSigned('operator'),
  eum: selfSigned('eum'),
  deviceMaker: selfSigned('maker'),
} as const;
type TestRole = keyof typeof certificates;

function registered(): MemoryServices {
  const services = memoryServices();
  for (const role of Object.keys(certificates) as TestRole[]) {
    const { fingerprint } = certificates[role];
    services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
  }
  return services;
}

const header = (role: PartyRole) => ({
  functionRequesterIdentifier: IDENTIFIERS[role],
  functionCallIdentifier: 'C-1',
});

const quiet = { newIncident: () => 'I-1' };
const call = (services: Services, path: FunctionPath, test: TestCall) =>
  callHandler(handlerOf(path, services, quiet), path, test);

const EID = eidWithCheckDigits('890490320010012345678901234567');
const bppRequest = (requestId: string) =>
  encodeBppRequest({
    requestId,
    orderId: 'ORD-1',
    euiccData: undefined,
    items: [{ itemId: 1, eid: EID, keyId: undefined, iccid: undefined, additional: false }],
  });
const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');

const askForBpp = (services: Services, test: Partial<TestCall> = {}) =>
  call(services, 'esbpp.requestBpp', {
    certificate: certificates.deviceMaker,
    body: { header: header('deviceMaker'), bppRequest: base64(bppRequest('0a0b')) },
    ...test,
  });

describe('JSON calls', { tags: ['HTTP-BINDING'] }, () => {
  it('items that are refused make Executed-WithWarning, each with its codes', async () => {
    const result = await askForBpp(registered());
    expect(result.statusCode).toBe(200);
    expect(result.headers).toMatchObject({
      'content-type': 'application/json',
      'x-admin-protocol': 'ifpp-draft/v1.0.0',
    });
    const answer = jsonOf(result);
    expect(answer).toMatchObject({
      header: { functionExecutionStatus: { status: 'Executed-WithWarning' } },
      requestId: '0A0B',
      state: 'Done',
      failed: [{ itemId: 1, subjectCode: '8.2.5', reasonCode: '4.3' }],
    });
    expect(decodeBppBatch(Buffer.from(String(answer.bppBatch), 'base64')).items[0]?.eid).toBe(EID);
  });

  it('a refusal is HTTP 200 and Failed with its codes', async () => {
    const result = await call(registered(), 'esbpp.getBppBatch', {
      certificate: certificates.deviceMaker,
      body: { header: header('deviceMaker'), requestId: 'FFFF' },
    });
    expect(result.statusCode).toBe(200);
    expect(jsonOf(result).header.functionExecutionStatus).toEqual({
      status: 'Failed',
      statusCodeData: {
        subjectCode: '1.6',
        reasonCode: '3.9',
        subjectIdentifier: 'ffff',
        message: 'no such request',
      },
    });
  });

  it('a fault is Failed with 1.2 and an incident, and tells nothing of what happened', async () => {
    const services = registered();
    const failing = (error: unknown): Services => ({
      ...services,
      delivery: { ...services.delivery, requestBpp: () => Promise.reject(error) },
    });
    for (const [error, codes, status, retryAfter] of [
      [new Fault('ledger', 'INNER'), '1.2/4.2', 200, undefined],
      [new Fault('keyProviderThrottled', 'INNER', { retryable: true }), '1.2/5.1', 503, '2'],
      [new TypeError('INNER'), '1.2/4.2', 200, undefined],
    ] as const) {
      const result = await askForBpp(failing(error));
      expect(result.statusCode).toBe(status);
      expect(result.headers?.['retry-after']).toBe(retryAfter);
      expect(codesOf(jsonOf(result))).toBe(codes);
      expect(result.body).toContain('I-1');
      expect(result.body).not.toContain('INNER');
      expect(result.body).not.toContain('    at ');
    }
  });

  it('a call that outlasts its time is answered 1.2/5.1 before the platform ends it', async () => {
    const services = registered();
    const slow: Services = {
      ...services,
      delivery: { ...services.delivery, requestBpp: () => new Promise(() => {}) },
    };
    const handler = handlerOf('esbpp.requestBpp', slow, quiet);
    const event = eventFor('esbpp.requestBpp', {
      certificate: certificates.deviceMaker,
      body: { header: header('deviceMaker'), bppRequest: base64(bppRequest('01')) },
    });
    const result = await handler(event, { getRemainingTimeInMillis: () => 550 });
    expect(codesOf(jsonOf(result))).toBe('1.2/5.1');
  });

  it.each([
    ['no header', { bppRequest: 'AAAA' }, '1.3.1/2.2'],
    ['half a header', { header: { functionCallIdentifier: 'x' }, bppRequest: 'AAAA' }, '1.3.1/2.2'],
    ['no body member', { header: header('deviceMaker') }, '1.3.1/2.2'],
    ['two bodies', { header: header('deviceMaker'), bppRequest: 'AAAA', transferId: 'T' }, '1.3.1/2.1'],
    ['an unknown member', { header: header('deviceMaker'), bppRequest: 'AAAA', x: 1 }, '1.3.1/2.1'],
    ['base64url', { header: header('deviceMaker'), bppRequest: 'A-_A' }, '1.3.1/2.1'],
    ['DER of another object', { header: header('deviceMaker'), bppRequest: '/2AA' }, '1.3.1/2.1'],
    ['an unknown transfer', { header: header('deviceMaker'), transferId: 'T-9' }, '1.6/3.9'],
    ['an array', [], '1.3.1/2.1'],
  ])('%s is refused', async (_what, body, codes) => {
    const result = await askForBpp(registered(), { body });
    expect(result.statusCode).toBe(200);
    expect(codesOf(jsonOf(result))).toBe(codes);
  });

  it('text that is not JSON, or not UTF-8, or names a member twice, is refused as 1.3.1/2.1', async () => {
    for (const raw of ['', '{', '{"header":1,"header":2}', Buffer.from([0x7b, 0xff, 0x7d])]) {
      expect(codesOf(jsonOf(await askForBpp(registered(), { raw })))).toBe('1.3.1/2.1');
    }
  });
});

describe('X-Admin-Protocol', () => {
  it.each([undefined, 'ifpp-draft/v1.0.1', 'gsma/rsp/v2.5.0', 'IFPP-DRAFT/V1.0.0'])(
    '%s is refused as 1.3.2/3.1 for parties',
    async (version) => {
      const result = await askForBpp(registered(), { headers: { 'x-admin-protocol': version } });
      expect(codesOf(jsonOf(result))).toBe('1.3.2/3.1');
      expect(result.headers?.['x-admin-protocol']).toBe('ifpp-draft/v1.0.0');
    },
  );

  it.each(['ifpp-draft/v1.0.0', 'gsma/rsp/v2.5.0', 'gsma/rsp/v3.1.0'])(
    '%s is taken on ES9+',
    async (version) => {
      const result = await call(registered(), 'es9plus.handleNotification', {
        body: { pendingNotification: base64(tlv(0xbf37)) },
        headers: { 'x-admin-protocol': version },
      });
      expect(result.statusCode).toBe(204);
      expect(result.headers?.['x-admin-protocol']).toBe(version);
    },
  );

  it.each([undefined, 'gsma/rsp/v1.0.0', 'gsma/rsp/v2.5', 'x\r\ny: z'])(
    '%s is refused on ES9+',
    async (version) => {
      const result = await call(registered(), 'es9plus.handleNotification', {
        body: { pendingNotification: base64(tlv(0xbf37)) },
        headers: { 'x-admin-protocol': version },
      });
      expect(codesOf(jsonOf(result))).toBe('1.3.2/3.1');
      if (version !== undefined)
        expect(result.body).toContain('ifpp-draft/v1.0.0, gsma/rsp/v2.x.y or gsma/rsp/v3.x.y');
    },
  );
});

describe('DER calls', { tags: ['ESBPP04'] }, () => {
  it('a raw BppRequest is answered with the raw BppBatch where that is preferred', async () => {
    const services = registered();
    const der = { 'content-type': 'application/octet-stream' };
    const raw = bppRequest('0c');
    const asJson = await askForBpp(services, { raw, headers: der });
    expect(asJson.headers?.['content-type']).toBe('application/json');

    for (const accept of ['application/octet-stream', 'application/octet-stream;q=1, application/json']) {
      const asDer = await askForBpp(services, { raw, headers: { ...der, accept } });
      expect(asDer.headers?.['content-type']).toBe('application/octet-stream');
      expect(asDer.isBase64Encoded).toBe(true);
      expect(asDer.body).toBe(jsonOf(asJson).bppBatch);
    }
    for (const accept of ['*/*', 'application/json, application/octet-stream', 'text/html']) {
      expect(await askForBpp(services, { raw, headers: { ...der, accept } })).toEqual(asJson);
    }
    expect(services.received).toHaveLength(1);
    expect(Buffer.from(services.received[0]!).equals(Buffer.from(raw))).toBe(true);

    const again = await call(services, 'esbpp.getBppBatch', {
      certificate: certificates.deviceMaker,
      body: { header: header('deviceMaker'), requestId: '0C' },
      headers: { accept: 'application/octet-stream' },
    });
    expect(again.body).toBe(jsonOf(asJson).bppBatch);
  });

  it('what failed is JSON whatever was preferred', async () => {
    const services = registered();
    const headers = { 'content-type': 'application/octet-stream', accept: 'application/octet-stream' };
    const result = await askForBpp(services, { raw: bppRequest('0c').subarray(0, 10), headers });
    expect(result.headers?.['content-type']).toBe('application/json');
    expect(codesOf(jsonOf(result))).toBe('1.3.1/2.1');
    expect(codesOf(jsonOf(await askForBpp(services, { raw: Buffer.alloc(0), headers })))).toBe('1.3.1/2.2');
  });

  it('a raw report and a raw notification are taken, a raw order is not', async () => {
    const services = registered();
    const headers = { 'content-type': 'application/octet-stream' };
    const report = await call(services, 'esbpp.sendProfileLoadingReport', {
      certificate: certificates.deviceMaker,
      raw: encodeProfileLoadingReport('01', []),
      headers,
    });
    expect(codesOf(jsonOf(report))).toBe('Executed-Success');
    const notification = await call(services, 'es9plus.handleNotification', { raw: tlv(0xbf37), headers });
    expect(notification).toMatchObject({ statusCode: 204 });
    expect(notification.body).toBeUndefined();
    const order = await call(services, 'es2f.prepareProfiles', {
      certificate: certificates.operator,
      raw: fromHex('a000'),
      headers,
    });
    expect(order.statusCode).toBe(415);
  });

  it('a reportId beside the report must be its own', async () => {
    const report = (reportId: string) =>
      call(registered(), 'esbpp.sendProfileLoadingReport', {
        certificate: certificates.deviceMaker,
        body: {
          header: header('deviceMaker'),
          reportId,
          profileLoadingReport: base64(encodeProfileLoadingReport('0a', [])),
        },
      });
    expect(codesOf(jsonOf(await report('0A')))).toBe('Executed-Success');
    expect(codesOf(jsonOf(await report('0B')))).toBe('1.3.1/2.1');
  });
});

describe('calls refused below the level of functions', () => {
  it.each([
    ['no client certificate', { certificate: undefined }, 403, '1.1/3.9'],
    ['a certificate that is not registered', { certificate: selfSigned('stranger') }, 403, '1.1/3.9'],
    [
      'a certificate that cannot be read',
      { certificate: { ...certificates.eum, cert: 'x' } },
      403,
      '1.1/3.9',
    ],
    ['GET', { method: 'GET' }, 405, '1.6/3.1'],
    ['a body over the limit', { raw: ' '.repeat(MAX_BODY + 1) }, 413, '1.3.1/3.8'],
    ['text', { headers: { 'content-type': 'text/plain' } }, 415, '1.3.1/2.1'],
    ['no content type', { headers: { 'content-type': undefined } }, 415, '1.3.1/2.1'],
    [
      'another charset',
      { headers: { 'content-type': 'application/json; charset=utf-16' } },
      415,
      '1.3.1/2.1',
    ],
    ['a content encoding', { headers: { 'content-encoding': 'gzip' } }, 415, '1.3.1/2.1'],
  ])('%s', async (_what, test, status, codes) => {
    const result = await askForBpp(registered(), test as Partial<TestCall>);
    expect(result.statusCode).toBe(status);
    expect(codesOf(jsonOf(result))).toBe(codes);
    expect(result.headers?.allow).toBe(status === 405 ? 'POST' : undefined);
  });

  it('charset utf-8 is taken', async () => {
    const headers = { 'content-type': 'Application/JSON; charset="UTF-8"' };
    expect((await askForBpp(registered(), { headers })).statusCode).toBe(200);
  });

  it('a party over its rate is Failed 1.1/6.4, not unknown', async () => {
    const services = registered();
    const parties = { identify: async () => refuse('rateExceeded', 'too many calls') };
    const result = await askForBpp({ ...services, parties });
    expect(result.statusCode).toBe(200);
    expect(codesOf(jsonOf(result))).toBe('1.1/6.4');
  });
});

describe('inputs of the services', () => {
  it('prepareProfiles hands on exactly the members of the order, with the template as octets', async () => {
    const services = registered();
    const order = {
      orderId: 'ORD-1',
      profileType: 'IoT-EU',
      quantity: 10,
      requesterDms: ['2.999.50'],
      personalisation: { iccidStart: '893311000000000000', keys: 'generate' },
      eligibility: { allowedCi: ['AB'.repeat(20)], requiredCapabilities: ['usim'] },
      metadata: { serviceProviderName: 'Op', profileName: 'Op IoT' },
      outputKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
      callbackUrl: 'https://operator.example.com/',
    };
    const body = { header: header('operator'), ...order, template: base64(fromHex('a003020101')) };
    const result = await call(services, 'es2f.prepareProfiles', { certificate: certificates.operator, body });
    expect(jsonOf(result)).toEqual({
      header: { functionExecutionStatus: { status: 'Executed-Success' } },
      orderId: 'ORD-1',
      state: 'Open',
      quantity: 10,
      prepared: 10,
    });
    expect(services.ordersByOwner.get('2.999.60 ORD-1')).toEqual({
      ...order,
      eligibility: { allowedCi: ['ab'.repeat(20)], requiredCapabilities: ['usim'] },
      template: Buffer.from('a003020101', 'hex'),
    });
  });

  it.each([
    ['a private output key', { outputKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'SECRET' } }],
    ['a symmetric output key', { outputKey: { kty: 'oct', k: 'SECRET' } }],
    ['an unknown capability', { eligibility: { requiredCapabilities: ['warp'] } }],
    ['a misspelt rule', { eligibility: { minVersion: '2.3.0' } }],
    ['a callback without TLS', { callbackUrl: 'http://operator.example.com/' }],
    ['a quantity of none', { quantity: 0 }],
    ['a quantity as a string', { quantity: '10' }],
    ['no maker', { requesterDms: [] }],
  ])('prepareProfiles refuses %s and repeats no value of it', async (_what, wrong) => {
    const body = {
      header: header('operator'),
      orderId: 'ORD-1',
      profileType: 'IoT-EU',
      quantity: 10,
      requesterDms: ['2.999.50'],
      template: 'oAMCAQE=',
      personalisation: { iccidStart: '893311000000000000' },
      eligibility: {},
      metadata: {},
      ...wrong,
    };
    const result = await call(registered(), 'es2f.prepareProfiles', {
      certificate: certificates.operator,
      body,
    });
    expect(codesOf(jsonOf(result))).toBe('1.3.1/2.1');
    expect(result.body).not.toContain('SECRET');
  });

  it('cancelOrder says what becomes of the profiles, and they cannot become Available', async () => {
    const services = registered();
    const cancel = (body: object) =>
      call(services, 'es2f.cancelOrder', {
        certificate: certificates.operator,
        body: { header: header('operator'), orderId: 'ORD-1', ...body },
      });
    expect(codesOf(jsonOf(await cancel({})))).toBe('1.3.1/2.2');
    expect(codesOf(jsonOf(await cancel({ finalProfileStatusIndicator: 'Available' })))).toBe('1.6/3.1');
    expect(codesOf(jsonOf(await cancel({ finalProfileStatusIndicator: 'Unavailable' })))).toBe('8.8.5/3.9');
  });

  it('a wrong EID in a list of keys is an item, not a failure of the list', async () => {
    const result = await call(registered(), 'esbpp.closeKeys', {
      certificate: certificates.deviceMaker,
      body: {
        header: header('deviceMaker'),
        items: [{ eid: '0'.repeat(32), keyId: '0A' }, { eid: '1'.repeat(32) }],
      },
    });
    expect(jsonOf(result)).toMatchObject({
      header: { functionExecutionStatus: { status: 'Executed-WithWarning' } },
      closed: 2,
      refused: [{ eid: '1'.repeat(32), subjectCode: '8.1.1', reasonCode: '3.9' }],
    });
  });
});
