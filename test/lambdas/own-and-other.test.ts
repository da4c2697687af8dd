import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eidWithCheckDigits } from '../../shared/codec/eid.ts';
import type { FunctionPath } from '../../shared/gsma/functions/index.ts';
import { rolesFor } from '../../shared/gsma/permissions.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';
import type { TransferPurpose } from '../../shared/service/api/transfers.ts';
import { jobIdOf, transactionId } from '../../shared/service/records/transaction-id.ts';
import { encodeProfileLoadingReport } from '../../sim/index.ts';
import { Deployment } from '../support/deployment.ts';
import { callHandler, codesOf, handlerOf, type JsonAnswer, jsonOf } from '../support/function-call.ts';
import { answerErrors, type Operation, openapi, operations, requestOf } from '../support/openapi.ts';
import { selfSigned } from '../support/self-signed.ts';
import { sendUpload } from '../support/uploads.ts';

/** Two parties of each role; the second never owns what is asked for. */
const PARTIES: Readonly<Record<PartyRole, readonly [own: string, other: string]>> = {
  eum: ['2.999.40', '2.999.41'],
  deviceMaker: ['2.999.50', '2.999.51'],
  operator: ['2.999.60', '2.999.61'],
  auditor: ['2.999.70', '2.999.71'],
  viewer: ['2.999.90', '2.999.91'],
  administrator: ['2.999.80', '2.999.81'],
};
const ROLES = Object.keys(PARTIES) as PartyRole[];

/**
 * Kinds of objects that belong to somebody (`x-reaches`), the members of requests that name them, and how another party
 * is refused: for the call as a whole, or for the item.
 */
const KINDS = {
  order: { members: ['orderId', 'bppRequest'], refused: '8.8.5/3.9' },
  job: { members: ['requestId', 'profileLoadingReport'], refused: '1.6/3.9' },
  batch: { members: ['requestId'], refused: '1.6/3.9' },
  report: { members: ['requestId'], refused: '1.6/3.9' },
  eum: { members: ['euiccDataBatch'], refused: '1.1/1.2' },
  eid: { members: ['items', 'bppRequest'], refused: '8.1.1/3.10' },
  transfer: { members: ['transferId', 'rowsTransferId'], refused: '1.6/3.9' },
} as const;
type Kind = keyof typeof KINDS;

/** Where a function refuses otherwise than its kind says. */
const REFUSED_OTHERWISE: Readonly<Partial<Record<`${FunctionPath} ${Kind}`, string>>> = {
  // the orderId is taken, whoever took it
  'es2f.prepareProfiles order': '1.6/3.11',
  // a result, not the report, is refused
  'esbpp.sendProfileLoadingReport job': '8.10.1/3.9',
};

/** Members that name objects of any party, for who administers all of them. */
const OF_ALL = ['admin.replayCallbacks orderId'];
/** A viewer and an administrator reach what belongs to anybody: what they name is refused to all other roles alike. */
const isOfAll = (path: FunctionPath, member: string) =>
  path.startsWith('ops.') || OF_ALL.includes(`${path} ${member}`);

/** Members that name nobody's objects by themselves. */
const NOBODYS = [
  'header',
  'page',
  'profileType',
  'quantity',
  'requesterDms',
  'shares',
  'template',
  'rows',
  'personalisation',
  'eligibility',
  'metadata',
  'outputKey',
  'expectedEuiccs',
  'callbackUrl',
  'callbackCa',
  'callbackBatch',
  'iccid',
  'finalProfileStatusIndicator',
  'cursor',
  'limit',
  'pack',
  'eids',
  'purpose',
  'size',
  'sha256',
  'name',
  'reportId',
  'crl',
  'issuerChain',
  'from',
  'pendingNotification',
];

const certificates = new Map<string, ReturnType<typeof selfSigned>>();
let deployment: Deployment;
let batchId: string;
let reportId: string;

beforeAll(async () => {
  // answers of more than this come in parts, so that every job has one to fetch
  deployment = await Deployment.create({ memory: true, config: { inlineLimit: 1_000 } });
  const { parties } = deployment.runtime.services;
  for (const role of ROLES) {
    for (const identifier of PARTIES[role]) {
      const certificate = selfSigned(identifier);
      certificates.set(identifier, certificate);
      await parties.add(certificate.fingerprint, { identifier, role }, 'test');
    }
  }
  batchId = await rejectedBatch();
  reportId = await rejectedReport();
});
afterAll(() => deployment?.close());

async function ask(path: FunctionPath, identifier: string, body: object): Promise<JsonAnswer | undefined> {
  const handler = handlerOf(path, deployment.runtime.services);
  const result = await callHandler(handler, path, {
    certificate: certificates.get(identifier)!,
    body: { ...body, header: { functionRequesterIdentifier: identifier, functionCallIdentifier: 'C-1' } },
  });
  if (result.statusCode === 204) return undefined;
  expect(result.statusCode).toBe(200);
  const answer = jsonOf(result);
  expect(answerErrors(path, answer)).toBeNull();
  return answer;
}

/** Of the call, and of each of its items. */
function allCodes(answer: JsonAnswer | undefined): string[] {
  if (answer === undefined) return ['Executed-Success'];
  const items = ['refused', 'rejected', 'failed'].flatMap((member) => answer[member] ?? []) as {
    subjectCode: string;
    reasonCode: string;
  }[];
  return [codesOf(answer), ...items.map(({ subjectCode, reasonCode }) => `${subjectCode}/${reasonCode}`)];
}

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');
const id = () => randomBytes(8).toString('hex');
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const outputKey = publicKey.export({ format: 'jwk' });
const [maker, otherMaker] = PARTIES.deviceMaker;
const [operator] = PARTIES.operator;

let orders = 0;

/** Objects of the first party of each role, made for one call and for no other. */
class Own {
  readonly #forKind: Kind;
  #order: { orderId: string; iccids: readonly string[]; body: Record<string, unknown> } | undefined;
  #eid: string | undefined;
  #job: { requestId: string; part: string } | undefined;

  constructor(forKind: Kind) {
    this.#forKind = forKind;
  }

  orderBody(): Record<string, unknown> {
    const number = String(++orders).padStart(4, '0');
    return {
      orderId: `ORD-${number}`,
      profileType: 'test',
      quantity: 2,
      // where the order itself is not what the other may not reach, it is open to both
      requesterDms: this.#forKind === 'order' ? [maker] : [maker, otherMaker],
      template: base64(ownTemplate()),
      personalisation: {
        iccidStart: `89${number}000000000000`,
        imsiStart: `00101${number}000001`,
        keys: 'generate',
      },
      eligibility: {},
      metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
      outputKey,
    };
  }

  async order(): Promise<{ orderId: string; iccids: readonly string[]; body: Record<string, unknown> }> {
    if (this.#order !== undefined) return this.#order;
    const body = this.orderBody();
    const answer = await ask('es2f.prepareProfiles', operator, body);
    expect(answer, JSON.stringify(answer)).toMatchObject({ state: 'Open' });
    this.#order = { orderId: String(body.orderId), iccids: answer!.iccids as string[], body };
    return this.#order;
  }

  async eid(): Promise<string> {
    if (this.#eid !== undefined) return this.#eid;
    const euicc = deployment.eum.personalise({ keys: 2 });
    const euiccDataBatch = base64(deployment.eum.euiccDataBatch([euicc], { deviceManufacturers: [maker] }));
    const answer = await ask('esed1.registerEuiccData', PARTIES.eum[0], { euiccDataBatch });
    expect(answer, JSON.stringify(answer)).toMatchObject({ accepted: 1, rejected: [] });
    this.#eid = euicc.eid;
    return this.#eid;
  }

  async bppRequest(requestId: string): Promise<Uint8Array> {
    const item = { keyId: undefined, iccid: undefined, additional: true };
    return encodeBppRequest({
      requestId,
      orderId: (await this.order()).orderId,
      euiccData: undefined,
      items: [{ itemId: 1, eid: await this.eid(), ...item }],
    });
  }

  async job(): Promise<{ requestId: string; part: string }> {
    if (this.#job !== undefined) return this.#job;
    const requestId = id();
    const answer = await ask('esbpp.requestBpp', maker, {
      bppRequest: base64(await this.bppRequest(requestId)),
    });
    expect(answer, JSON.stringify(answer)).toMatchObject({ state: 'Done', failed: [] });
    const [part] = answer!.parts as { name: string }[];
    this.#job = { requestId, part: part!.name };
    return this.#job;
  }

  async report(): Promise<Uint8Array> {
    const { requestId } = await this.job();
    const jobId = jobIdOf(deployment.config.deployment, maker, requestId);
    return encodeProfileLoadingReport({
      reportId: Buffer.from(id(), 'hex'),
      items: [
        {
          fpaError: {
            transactionId: Buffer.from(transactionId(jobId, 0), 'hex'),
            eid: await this.eid(),
            cause: 'damaged',
          },
        },
      ],
    });
  }

  /** Content that was uploaded by the first party of the role. */
  async transfer(path: FunctionPath, member: string): Promise<string> {
    const role = operations.get(path)!.operation['x-role'] as PartyRole;
    const [purpose, content] = await this.#content(path, member);
    const [identifier] = PARTIES[role];
    return await sendUpload(deployment.runtime, { identifier, role, fingerprint: '' }, purpose, content);
  }

  async #content(path: FunctionPath, member: string): Promise<[TransferPurpose, Uint8Array]> {
    if (member === 'rowsTransferId') return ['rows', Buffer.from('iccid\n8900000000000000003\n')];
    switch (path) {
      case 'es2f.prepareProfiles':
        return ['template', ownTemplate()];
      case 'esed1.registerEuiccData':
        return [
          'euiccData',
          deployment.eum.euiccDataBatch([deployment.eum.personalise()], { deviceManufacturers: [maker] }),
        ];
      case 'esbpp.requestBpp':
        return ['bppRequest', await this.bppRequest(id())];
      case 'esbpp.sendProfileLoadingReport':
        return ['profileLoadingReport', await this.report()];
      case 'admin.addCrl':
        return ['crl', deployment.ci.issueCrl({ number: 2 })];
      default:
        throw new Error(`nobody has said what ${path} is sent by transfer`);
    }
  }

  /** The members of a call that name objects of the first party; a new member needs its line here. */
  async members(path: FunctionPath, carrier: string): Promise<Record<string, unknown>> {
    switch (carrier) {
      case 'orderId': {
        const { orderId, iccids } = await this.order();
        return { orderId, iccid: iccids[0], eids: [await this.eid()] };
      }
      case 'requestId': {
        if (path === 'esed1.getTransfer') return { requestId: batchId, name: 'rejected' };
        if (this.#forKind === 'report') return { requestId: reportId, name: 'rejected' };
        const { requestId, part } = await this.job();
        return { requestId, name: part };
      }
      case 'items':
        return { items: [{ eid: await this.eid() }] };
      case 'bppRequest':
        return { bppRequest: base64(await this.bppRequest(id())) };
      case 'euiccDataBatch': {
        const euicc = deployment.eum.personalise();
        return {
          euiccDataBatch: base64(deployment.eum.euiccDataBatch([euicc], { deviceManufacturers: [maker] })),
        };
      }
      case 'profileLoadingReport':
        return { profileLoadingReport: base64(await this.report()) };
      case 'transferId':
      case 'rowsTransferId':
        return { [carrier]: await this.transfer(path, carrier) };
      default:
        throw new Error(`nobody has said what ${carrier} names`);
    }
  }
}

/** The body of a call whose `carrier` names an object of the first party, and nothing else of anybody's. */
async function bodyFor(path: FunctionPath, kind: Kind, carrier: string): Promise<Record<string, unknown>> {
  const own = new Own(kind);
  const { properties } = schemaOf(path);
  const example = Object.values(requestOf(path).content['application/json']!.examples!)[0]!.value;
  const named = await own.members(path, carrier);
  const fits = ([member]: [string, unknown]) => Object.hasOwn(properties, member);
  if (path === 'es2f.prepareProfiles') {
    if (kind === 'order') return (await own.order()).body;
    const { template, ...rest } = own.orderBody();
    return carrier === 'rowsTransferId'
      ? { ...rest, template, personalisation: { format: 'csv', keys: 'generate' }, ...named }
      : { ...rest, ...named };
  }
  const members = { ...example, ...Object.fromEntries(Object.entries(named).filter(fits)) };
  // a transfer comes in place of the object, and the identifier of the example's report is not ours
  const inPlaceOf = ['euiccDataBatch', 'bppRequest', 'profileLoadingReport', 'crl'];
  const without = carrier === 'transferId' ? [...inPlaceOf, 'reportId'] : ['reportId'];
  return Object.fromEntries(Object.entries(members).filter(([member]) => !without.includes(member)));
}

const schemaOf = (path: FunctionPath) => requestOf(path).content['application/json']!.schema;

const cells = [...operations].flatMap(([path, { operation }]) =>
  ((operation['x-reaches'] ?? []) as Kind[]).flatMap((kind) =>
    (KINDS[kind]?.members ?? [])
      .filter((member) => Object.hasOwn(schemaOf(path).properties, member))
      .map((carrier) => ({ path, kind, carrier, role: operation['x-role'] as PartyRole })),
  ),
);

describe('x-reaches of the OpenAPI file', () => {
  it.each([...operations].map(([path, { operation }]) => [path, operation] as const))(
    'of %s says whose objects its members name',
    (path, operation: Operation) => {
      const reaches = operation['x-reaches'];
      expect(Array.isArray(reaches), 'x-reaches is missing').toBe(true);
      for (const kind of reaches) expect(Object.keys(KINDS)).toContain(kind);
      const members = Object.keys(schemaOf(path).properties).filter(
        (member) => !NOBODYS.includes(member) && !isOfAll(path, member),
      );
      for (const member of members) {
        const kinds = Object.entries(KINDS).filter(([, { members: of }]) => of.some((one) => one === member));
        expect(
          kinds.some(([kind]) => reaches.includes(kind)),
          `${member} names an object of a kind that x-reaches does not have`,
        ).toBe(true);
      }
      for (const kind of reaches as Kind[])
        expect(
          cells.some((cell) => cell.path === path && cell.kind === kind),
          `no member of ${path} names a ${kind}`,
        ).toBe(true);
    },
  );

  it('is explained in the file itself, kind by kind', () => {
    for (const kind of Object.keys(KINDS)) expect(openapi.info.description).toContain(`\`${kind}\``);
  });
});

describe('a party reaches only what is its own (I7)', { tags: ['I7', 'DPFF04'] }, () => {
  it.each(cells)('$path: $kind of another party, by $carrier', async ({ path, kind, carrier, role }) => {
    const [own, other] = PARTIES[role];
    const refused = REFUSED_OTHERWISE[`${path} ${kind}`] ?? KINDS[kind].refused;
    const body = await bodyFor(path, kind, carrier);
    expect(allCodes(await ask(path, other, body)), 'of the other party').toContain(refused);
    // the owner is answered, so that the refusal above is not for want of the object
    expect(allCodes(await ask(path, own, body)), 'of the owner').not.toContain(refused);
  });
});

describe('role × function, by the real services', () => {
  it.each([...operations].map(([path, { operation }]) => [path, operation] as const))(
    '%s',
    async (path, operation: Operation) => {
      const example = Object.values(requestOf(path).content['application/json']!.examples!)[0]!.value;
      for (const role of ROLES) {
        const allowed = operation['x-role'] === 'anyone' || rolesFor(operation['x-role']).includes(role);
        for (const identifier of PARTIES[role]) {
          const answer = await ask(path, identifier, example);
          const codes = answer === undefined ? 'Executed-Success' : codesOf(answer);
          if (!allowed) expect(codes, identifier).toBe('1.1/1.2');
          else if (!path.endsWith('.openTransfer')) expect(codes, identifier).not.toBe('1.1/1.2');
        }
      }
    },
  );
});

it('closeKeys closes nothing of an EID that the party is not entitled to', {
  tags: ['DMF03', 'I7'],
}, async () => {
  const own = new Own('eid');
  const eid = await own.eid();
  for (const [path, role] of [
    ['esbpp.closeKeys', 'deviceMaker'],
    ['esed1.closeKeys', 'eum'],
  ] as const)
    expect(await ask(path, PARTIES[role][1], { items: [{ eid }] }), path).toMatchObject({ closed: 0 });
  expect(await ask('esbpp.closeKeys', maker, { items: [{ eid }] })).toMatchObject({ closed: 2 });
});

it('the same requestId of another party is another request', async () => {
  const own = new Own('eid');
  const { requestId } = await own.job();
  const other = await ask('esbpp.requestBpp', otherMaker, {
    bppRequest: base64(await own.bppRequest(requestId)),
  });
  expect(allCodes(other)).toContain('8.1.1/3.10');
  const again = await ask('esbpp.getBppBatch', maker, { requestId });
  expect(again).toMatchObject({ requestId: requestId.toUpperCase(), state: 'Done', failed: [] });
});

it('a transfer is for the use it was opened for', async () => {
  const transferId = await new Own('transfer').transfer('esbpp.sendProfileLoadingReport', 'transferId');
  expect(allCodes(await ask('esbpp.requestBpp', maker, { transferId }))).toContain('1.6/6.1');
});

it('a revoked certificate is no party from the next call on', async () => {
  const certificate = certificates.get('2.999.61')!;
  await deployment.runtime.services.parties.revoke(certificate.fingerprint, 'test');
  const handler = handlerOf('es2f.getOrderStatus', deployment.runtime.services);
  const result = await callHandler(handler, 'es2f.getOrderStatus', { certificate, body: {} });
  expect(result.statusCode).toBe(403);
});

it('octets that are no report or notification are refused by the real services too', async () => {
  for (const path of ['esbpp.sendProfileLoadingReport', 'es9plus.handleNotification'] as const) {
    const member = path === 'es9plus.handleNotification' ? 'pendingNotification' : 'profileLoadingReport';
    const answer = await ask(path, maker, { [member]: base64(randomBytes(40)) });
    expect(allCodes(answer), path).toEqual(['1.3.1/2.1']);
  }
});

/** A report of the first device manufacturer with more refusals than an answer lists. */
async function rejectedReport(): Promise<string> {
  const eid = deployment.eum.personalise().eid;
  const items = Array.from({ length: 1_001 }, (_, i) => {
    const unknown = Buffer.alloc(16, 0xee);
    unknown.writeUInt32BE(i, 12);
    return { fpaError: { transactionId: unknown, eid, cause: 'damaged' as const } };
  });
  const report = encodeProfileLoadingReport({ reportId: Buffer.from('0d', 'hex'), items });
  const body = { profileLoadingReport: base64(report) };
  let answer = await ask('esbpp.sendProfileLoadingReport', maker, body);
  while (answer?.state === 'Pending') {
    await sleep(20);
    answer = await ask('esbpp.sendProfileLoadingReport', maker, body);
  }
  expect(answer).toMatchObject({ state: 'Done', rejectedCount: 1_001 });
  return '0D';
}

/** A batch of the first EUM with more refusals than an answer lists, so that it has a result to fetch. */
async function rejectedBatch(): Promise<string> {
  const [euicc] = deployment.eum.production(1);
  const entries = Array.from({ length: 1_001 }, (_, i) => ({
    ...euicc!,
    eid: eidWithCheckDigits(`89049032${String(1_000_000 + i).padStart(22, '0')}`),
  }));
  const batch = deployment.eum.euiccDataBatch(entries, {
    batchId: Buffer.from('0c', 'hex'),
    deviceManufacturers: [maker],
  });
  const answer = await ask('esed1.registerEuiccData', PARTIES.eum[0], { euiccDataBatch: base64(batch) });
  expect(answer).toMatchObject({ state: 'Done', rejectedCount: 1_001 });
  return '0C';
}
