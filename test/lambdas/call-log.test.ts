import { expect, it } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import type { FunctionPath } from '../../shared/gsma/functions/index.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { callHandler, handlerOf, type TestCall } from '../support/function-call.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { selfSigned } from '../support/self-signed.ts';

const ALLOWED = [
  'event',
  'function',
  'party',
  'functionCallIdentifier',
  'orderId',
  'requestId',
  'batchId',
  'reportId',
  'httpStatus',
  'status',
  'subjectCode',
  'reasonCode',
  'incident',
  'durationMs',
];

const SECRET = 'SECRET-7f3a';
const certificate = selfSigned('party');

async function linesOf(
  role: PartyRole,
  path: FunctionPath,
  test: TestCall,
  change?: (s: Services) => Services,
) {
  const services = memoryServices();
  const { fingerprint } = certificate;
  services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
  const lines: LogRecord[] = [];
  let time = 0;
  const handler = handlerOf(path, change?.(services) ?? services, {
    log: (line) => lines.push(line),
    now: () => {
      time += 5;
      return time;
    },
    newIncident: () => 'I-1',
  });
  await callHandler(handler, path, { certificate, ...test });
  return lines;
}

const header = (role: PartyRole) => ({
  functionRequesterIdentifier: IDENTIFIERS[role],
  functionCallIdentifier: 'C-1',
});

const order = {
  header: header('operator'),
  orderId: 'ORD-1',
  profileType: SECRET,
  quantity: 1,
  requesterDms: [SECRET],
  template: Buffer.from(SECRET).toString('base64'),
  personalisation: { iccidStart: '893311000000000000', imsiStart: '001017333222111' },
  eligibility: { allowedEum: [SECRET] },
  metadata: { serviceProviderName: SECRET },
  outputKey: { kty: 'EC', x: SECRET },
  callbackUrl: `https://operator.example.com/?token=${SECRET}`,
};

it('a call leaves one line with identifiers, codes and duration', async () => {
  const bppRequest = encodeBppRequest({
    requestId: '0a0b',
    orderId: 'ORD-1',
    euiccData: undefined,
    items: [
      {
        itemId: 1,
        eid: '89049032001001234567890123456794',
        keyId: undefined,
        iccid: undefined,
        additional: false,
      },
    ],
  });
  const body = { header: header('deviceMaker'), bppRequest: Buffer.from(bppRequest).toString('base64') };
  expect(await linesOf('deviceMaker', 'esbpp.requestBpp', { body })).toEqual([
    {
      event: 'call',
      function: 'esbpp.requestBpp',
      party: '2.999.50',
      functionCallIdentifier: 'C-1',
      requestId: '0a0b',
      httpStatus: 200,
      status: 'Executed-WithWarning',
      durationMs: 5,
    },
  ]);
});

it('a refused call leaves its codes, and what was known of it by then', async () => {
  const body = { header: header('operator'), orderId: 'ORD-9' };
  expect(await linesOf('operator', 'es2f.getOrderStatus', { body })).toEqual([
    {
      event: 'call',
      function: 'es2f.getOrderStatus',
      party: '2.999.60',
      functionCallIdentifier: 'C-1',
      orderId: 'ORD-9',
      httpStatus: 200,
      status: 'Failed',
      subjectCode: '8.8.5',
      reasonCode: '3.9',
      durationMs: 5,
    },
  ]);
  const [line] = await linesOf('operator', 'es2f.getOrderStatus', {
    body,
    headers: { 'content-type': 'text/plain' },
  });
  expect(line).toEqual({
    event: 'call',
    function: 'es2f.getOrderStatus',
    httpStatus: 415,
    status: 'Failed',
    subjectCode: '1.3.1',
    reasonCode: '2.1',
    durationMs: 5,
  });
});

it('a notification leaves a line without a party', async () => {
  const lines = await linesOf('operator', 'es9plus.handleNotification', {
    body: { pendingNotification: 'vzcA' },
  });
  expect(lines).toEqual([
    {
      event: 'call',
      function: 'es9plus.handleNotification',
      httpStatus: 204,
      status: 'Executed-Success',
      durationMs: 5,
    },
  ]);
});

it('a fault leaves a second line that the incident joins to the first', async () => {
  const lines = await linesOf('operator', 'es2f.prepareProfiles', { body: order }, (services) => ({
    ...services,
    orders: {
      ...services.orders,
      prepareProfiles: () =>
        Promise.reject(new Fault('vault', 'the disk is full', { cause: new RangeError(SECRET) })),
    },
  }));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({
    event: 'fault',
    incident: 'I-1',
    errors: [{ code: 'vault', message: 'the disk is full' }, { name: 'RangeError' }],
  });
  expect(lines[1]).toMatchObject({ event: 'call', incident: 'I-1', subjectCode: '1.2', reasonCode: '4.2' });
  expect(JSON.stringify(lines)).not.toContain(SECRET);
});

it('no line holds a field that is not allowed, or anything of a body, a header or a certificate', {
  tags: ['GENS10'],
}, async () => {
  const calls: TestCall[] = [
    { body: order },
    { body: { ...order, quantity: SECRET } },
    { body: { ...order, orderId: `${SECRET} ${SECRET}` } },
    { body: { ...order, [SECRET]: SECRET } },
    { body: { ...order, header: { ...order.header, functionRequesterIdentifier: SECRET } } },
    { raw: `{"${SECRET}":` },
    { body: order, headers: { authorization: SECRET, 'x-admin-protocol': SECRET } },
    { body: order, headers: { 'content-type': SECRET } },
    { body: order, method: SECRET },
    { raw: Buffer.from(SECRET), headers: { 'content-type': 'application/octet-stream' } },
  ];
  for (const test of calls) {
    const lines = await linesOf('operator', 'es2f.prepareProfiles', test);
    expect(lines).toHaveLength(1);
    for (const name of Object.keys(lines[0] as LogRecord<'call'>)) expect(ALLOWED).toContain(name);
    const text = JSON.stringify(lines);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(Buffer.from(SECRET).toString('base64'));
    expect(text).not.toContain('001017333222111');
    expect(text).not.toContain('CERTIFICATE');
  }
});
