import { createPublicKey, randomBytes, verify } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex } from '../../../shared/codec/bytes.ts';
import type { Refusal } from '../../../shared/errors.ts';
import type { OrderStatus, ProfileState } from '../../../shared/service/api/es2f.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { signInstallationResult, signOtherNotification } from '../../../sim/euicc/results.ts';
import { encodeProfileLoadingReport, type PersonalisedEuicc } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { caller, DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { refusalOf } from '../../support/refusal.ts';
import { sendUpload } from '../../support/uploads.ts';
import {
  type BoundBppItem,
  boundOf,
  operational,
  outcomesOf,
  ppksLeft,
  prepare,
  Request,
  register,
  TEMPLATE,
} from '../scenario.ts';

const OTHER_MAKER = caller('2.999.51', 'deviceMaker');
const MAKERS = [DEVICE_MAKER.identifier, OTHER_MAKER.identifier];

let deployment: Deployment;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 3 } });
});

afterAll(() => deployment?.close());

const nextOrder = () => `ORD-${made++}`;
const orders = () => deployment.runtime.services.orders;
const status = (orderId: string): Promise<OrderStatus> => orders().getOrderStatus(OPERATOR, { orderId });

async function euiccs(count: number, keys = 3): Promise<PersonalisedEuicc[]> {
  const made = [...deployment.eum.production(count, keys)];
  await register(deployment, made, MAKERS);
  return made;
}

async function bind(orderId: string, eids: readonly string[], by = DEVICE_MAKER) {
  return await new Request(
    orderId,
    eids.map((eid) => ({ eid })),
    { by },
  ).send(deployment.runtime);
}

/** What happens to a bound profile afterwards, as the device manufacturer's report tells it. */
async function report(euicc: PersonalisedEuicc, { bound }: BoundBppItem, what: ProfileState): Promise<void> {
  const { transactionId, iccid } = bound;
  const notification = { seqNumber: 1, event: 'install', address: 'smdpf.example.com', iccid } as const;
  const signed = (finalResult: Parameters<typeof signInstallationResult>[0]['finalResult']) =>
    signInstallationResult({ transactionId, notification, smdpOid: '2.999.10', finalResult }, euicc.key);
  const item =
    what === 'Installed'
      ? { euiccResult: signed({ isdpAid: fromHex('a0000005591010ffffffff8900001000') }) }
      : what === 'Failed'
        ? {
            euiccResult: signed({
              command: 'loadProfileElements',
              reason: 'installFailedDueToPEProcessingError',
            }),
          }
        : what === 'Deleted'
          ? {
              otherSigned: signOtherNotification(
                { ...notification, seqNumber: 2, event: 'delete' },
                euicc.key,
                euicc.euiccCert,
                euicc.eumCert,
              ),
            }
          : { fpaError: { transactionId, eid: euicc.eid, cause: 'damaged' as const } };
  const der = encodeProfileLoadingReport({ reportId: randomBytes(8), items: [item] });
  const answer = await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, der);
  expect(answer.rejected).toEqual([]);
}

describe('an order that is closed', () => {
  it('closes what is not bound, destroys its keys and still takes results', async () => {
    const orderId = nextOrder();
    await prepare(deployment, orderId, 5);
    const [euicc] = await euiccs(1);
    const [item] = boundOf(await bind(orderId, [euicc!.eid]));
    expect(await orders().closeOrder(OPERATOR, { orderId })).toEqual({ closed: 4 });
    expect(await orders().closeOrder(OPERATOR, { orderId })).toEqual({ closed: 4 });
    expect(await ppksLeft(deployment.runtime, orderId)).toEqual([]);
    await report(euicc!, item!, 'Installed');
    expect((await status(orderId)).counts).toEqual({ Installed: 1, Closed: 4 });
    const late = await refusalOf(bind(orderId, [euicc!.eid]));
    expect(late.code).toBe('orderExpired');
  });
});

describe('an uploaded template', () => {
  const upload = () => sendUpload(deployment.runtime, OPERATOR, 'template', TEMPLATE);

  it('is destroyed once the order is taken; the same call is answered alike, another order refused (I4, I5)', async () => {
    const transferId = await upload();
    const order = async (orderId: string) =>
      orders().prepareProfiles(OPERATOR, {
        ...deployment.order(orderId, 3, TEMPLATE),
        template: await deployment.runtime.services.transfers.receivedObject(
          OPERATOR,
          transferId,
          'template',
        ),
      });
    const orderId = nextOrder();
    const answer = await order(orderId);
    expect(answer.iccids).toHaveLength(3);
    expect(await deployment.runtime.context.vault.head(`uploads/${transferId}`)).toBeUndefined();
    expect(await order(orderId)).toEqual(answer);
    expect((await refusalOf(order(nextOrder()))).code).toBe('requestUnknown');
  });
});

describe('releaseProfile frees only what was never committed (I2)', { tags: ['I2', 'GENS04'] }, () => {
  it('a free profile: its ICCID can be ordered again', async () => {
    const orderId = nextOrder();
    const [iccid] = await prepare(deployment, orderId, 3);
    await orders().releaseProfile(OPERATOR, { orderId, iccid: iccid! });
    expect((await status(orderId)).counts).toEqual({ Available: 2, Closed: 1 });
    const again = nextOrder();
    const rules = { iccidStart: iccid!.slice(0, -1), keys: 'template' } as const;
    const taken = await prepare(deployment, again, 1, { personalisation: rules });
    expect(taken).toEqual([iccid]);
    const owner = await deployment.runtime.context.ledger.get(ledgerKeys.iccid(iccid!));
    expect(owner?.attributes.orderId).toBe(again);
  });

  it.each(['Bound', 'Installed', 'Failed', 'Unreported', 'Deleted'] as const)(
    'never one that is %s',
    async (state) => {
      const orderId = nextOrder();
      await prepare(deployment, orderId, 2);
      const [euicc] = await euiccs(1);
      const [item] = boundOf(await bind(orderId, [euicc!.eid]));
      if (state !== 'Bound') await report(euicc!, item!, state);
      const { iccid } = item!.bound;
      for (const end of [false, true]) {
        if (end) await orders().cancelOrder(OPERATOR, { orderId });
        const refusal = await refusalOf(orders().releaseProfile(OPERATOR, { orderId, iccid }));
        expect(refusal.code).toBe('profileStateForbids');
      }
      const owner = await deployment.runtime.context.ledger.get(ledgerKeys.iccid(iccid));
      expect(owner?.attributes.orderId).toBe(orderId);
    },
  );
});

describe('replaceProfile', { tags: ['A4-RETURN-TO-STOCK'] }, () => {
  it.each(['Failed', 'Unreported', 'Deleted'] as const)(
    'gives the eUICC of a profile that is %s another one, once',
    async (state) => {
      const orderId = nextOrder();
      await prepare(deployment, orderId, 4);
      const [euicc, other] = await euiccs(2);
      const [item] = boundOf(await bind(orderId, [euicc!.eid]));
      const { iccid } = item!.bound;
      await report(euicc!, item!, state);
      const replacement = await orders().replaceProfile(OPERATOR, { orderId, iccid });
      expect(replacement.eid).toBe(euicc!.eid);
      expect(replacement.iccid).not.toBe(iccid);
      expect(await orders().replaceProfile(OPERATOR, { orderId, iccid })).toEqual(replacement);
      // it waits for its eUICC: another one gets another
      const [elsewhere] = boundOf(await bind(orderId, [other!.eid]));
      expect(elsewhere!.bound.iccid).not.toBe(replacement.iccid);
      const [again] = boundOf(await bind(orderId, [euicc!.eid]));
      expect(again!.bound.iccid).toBe(replacement.iccid);
      // that was the one: the next request is refused as ever
      expect(outcomesOf(await bind(orderId, [euicc!.eid]))).toEqual(['noNewBinding']);
    },
  );

  it('makes a profile where the order has none left, and one for each failure', async () => {
    const orderId = nextOrder();
    const { outputKey } = operational('').order;
    await prepare(deployment, orderId, 1, { outputKey: outputKey! });
    const [euicc] = await euiccs(1, 4);
    let [item] = boundOf(await bind(orderId, [euicc!.eid]));
    const seen = new Set([item!.bound.iccid]);
    for (let failures = 1; failures <= 3; failures++) {
      await report(euicc!, item!, 'Failed');
      const { iccid } = await orders().replaceProfile(OPERATOR, { orderId, iccid: item!.bound.iccid });
      seen.add(iccid);
      [item] = boundOf(await bind(orderId, [euicc!.eid]));
      expect(item!.bound.iccid).toBe(iccid);
    }
    expect(seen.size).toBe(4);
    const { counts, items, quantity } = await status(orderId);
    expect({ counts, quantity, items: items.length }).toEqual({
      counts: { Failed: 3, Delivered: 1 },
      quantity: 1,
      items: 4,
    });
    for (let pack = 0; pack < 4; pack++) {
      const { packs, jwe } = await orders().getOrderOutput(OPERATOR, { orderId, pack });
      const header = JSON.parse(Buffer.from(jwe.split('.')[0]!, 'base64url').toString());
      expect(header).toMatchObject({ order: orderId, pack, packs: pack + 1 });
      expect(packs).toBe(4);
    }
  });

  it.each(['Available', 'Bound', 'Installed'] as const)(
    'is refused for a profile that is %s',
    async (state) => {
      const orderId = nextOrder();
      const [iccid] = await prepare(deployment, orderId, 2);
      const [euicc] = await euiccs(1);
      if (state !== 'Available') {
        const [item] = boundOf(await bind(orderId, [euicc!.eid]));
        if (state === 'Installed') await report(euicc!, item!, state);
      }
      const refusal = await refusalOf(orders().replaceProfile(OPERATOR, { orderId, iccid: iccid! }));
      expect(refusal.code).toBe('profileStateForbids');
    },
  );
});

describe('shares of one order', { tags: ['A3-LATE-BINDING'] }, () => {
  it('a maker gets its share and no more; what a refused item gave back counts no more', async () => {
    const orderId = nextOrder();
    await prepare(deployment, orderId, 6, {
      requesterDms: MAKERS,
      shares: { [DEVICE_MAKER.identifier]: 2 },
    });
    const [a, b, c, d, e] = await euiccs(5);
    const unknown = deployment.eum.personalise();
    expect(outcomesOf(await bind(orderId, [a!.eid, unknown.eid]))).toEqual(['bound', 'eidUnknown']);
    const outcomes = outcomesOf(await bind(orderId, [b!.eid, c!.eid]));
    expect(outcomes).toEqual(['bound', 'profileTypeExhausted']);
    expect(outcomesOf(await bind(orderId, [c!.eid, d!.eid, e!.eid], OTHER_MAKER))).toEqual([
      'bound',
      'bound',
      'bound',
    ]);
  });

  it('are of makers that the order names', async () => {
    const refusal = await refusalOf(prepare(deployment, nextOrder(), 2, { shares: { '2.999.59': 1 } }));
    expect(refusal.code).toBe('orderInvalid');
  });
});

describe('an order', () => {
  it.each([
    ['an ICCID, which each profile has for itself', { iccid: '8988211000000530082' }],
    ['what needs more than the two segments that an eUICC takes', { serviceDescription: '00'.repeat(2000) }],
    ['an icon that an eUICC will not take for one', { iconType: 'png', icon: '/9j/4AAQ' }],
  ])('is refused with metadata that would spoil every profile: %s', async (_, more) => {
    const metadata = { serviceProviderName: 'A', profileName: 'B', profileClass: 'test', ...more };
    const refusal = await refusalOf(prepare(deployment, nextOrder(), 2, { metadata }));
    expect(refusal.code).toBe('metadataInvalid');
  });
});

describe('the report about an order', () => {
  it('is signed by the delivery key over the states that the status tells', async () => {
    const orderId = nextOrder();
    await prepare(deployment, orderId, 3);
    const [euicc] = await euiccs(1);
    const [item] = boundOf(await bind(orderId, [euicc!.eid]));
    await report(euicc!, item!, 'Installed');
    const { report: jws, cursor } = await orders().getOrderReport(OPERATOR, { orderId });
    const { reportKey } = await orders().getServerKeys(OPERATOR);
    const [header, payload, signature] = jws.split('.') as [string, string, string];
    const key = createPublicKey({ key: reportKey as never, format: 'jwk' });
    const signed = Buffer.from(`${header}.${payload}`);
    const octets = Buffer.from(signature, 'base64url');
    const holds = (data: Buffer) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, octets);
    expect([holds(signed), holds(Buffer.concat([signed, Buffer.from('A')]))]).toEqual([true, false]);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
      alg: 'ES256',
      kid: reportKey.kid,
    });
    const body = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      profiles: { state: string; resultSha256: string }[];
    };
    expect(cursor).toBeUndefined();
    expect(body).toMatchObject({ orderId, state: 'Open', from: 0, to: 3, of: 3 });
    expect(body.profiles.map(({ state }) => state)).toEqual(['Installed', 'Available', 'Available']);
    expect(body.profiles[0]).toMatchObject({ eid: euicc!.eid, iccid: item!.bound.iccid });
    expect(body.profiles[0]!.resultSha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

/** What the states of an order must be after any commands, kept beside the real one. */
interface Model {
  readonly states: Map<string, ProfileState>;
  readonly items: Map<string, { euicc: PersonalisedEuicc; item: BoundBppItem }>;
  readonly eids: Map<string, string>;
  readonly released: Set<string>;
  ended: boolean;
}

type Step =
  | readonly ['bind']
  | readonly ['end', boolean]
  | readonly ['cancel' | 'release', number]
  | readonly ['report', number, ProfileState]
  | readonly ['replace', number];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(['bind'] as const) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('cancel', 'release'), fc.nat(9)) },
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constant('report' as const),
      fc.nat(9),
      fc.constantFrom<ProfileState>('Installed', 'Failed', 'Unreported', 'Deleted'),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('replace' as const), fc.nat(9)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('end' as const), fc.boolean()) },
);

const SEQUENCES = effort({ short: 15, long: 60 });

describe('the states of an order by model', { tags: ['I2', 'GENS04'] }, () => {
  it('no profile is in two states, counts always add up, no ICCID has two EIDs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const orderId = nextOrder();
        const iccids = await prepare(deployment, orderId, 4);
        const model: Model = {
          states: new Map(iccids.map((iccid) => [iccid, 'Available'])),
          items: new Map(),
          eids: new Map(),
          released: new Set(),
          ended: false,
        };
        for (const one of steps) {
          await take(orderId, model, one);
          await compare(orderId, model);
        }
      }),
      { numRuns: SEQUENCES },
    );
    count('sequences', SEQUENCES);
  }, 240_000);
});

async function take(orderId: string, model: Model, one: Step): Promise<void> {
  const [what, number = 0] = one as readonly [string, number?];
  const iccid = [...model.states.keys()][number % model.states.size]!;
  const state = model.states.get(iccid)!;
  if (what === 'bind') {
    const [euicc] = await euiccs(1);
    const answer = await bind(orderId, [euicc!.eid]).catch(() => undefined);
    const [item] = answer === undefined ? [] : boundOf(answer);
    expect(item !== undefined).toBe(!model.ended && [...model.states.values()].includes('Available'));
    if (item === undefined) return;
    expect(model.states.get(item.bound.iccid)).toBe('Available');
    noteBound(model, euicc!, item);
  } else if (what === 'cancel') {
    const { cancelled } = await orders().cancelOrder(OPERATOR, { orderId, iccid });
    const open = state === 'Available' || (state === 'Closed' && !model.released.has(iccid));
    expect(cancelled).toBe(open && !model.items.has(iccid) ? 1 : 0);
    if (state === 'Available') model.states.set(iccid, 'Closed');
  } else if (what === 'release') {
    const owned = await deployment.runtime.context.ledger.get(ledgerKeys.iccid(iccid));
    const code = await orders()
      .releaseProfile(OPERATOR, { orderId, iccid })
      .then(
        () => 'done',
        (error: unknown) => (error as Refusal).code,
      );
    const expected =
      owned === undefined ? 'iccidUnknown' : model.items.has(iccid) ? 'profileStateForbids' : 'done';
    expect(code).toBe(expected);
    if (code !== 'done') return;
    model.states.set(iccid, 'Closed');
    model.released.add(iccid);
  } else if (what === 'report') {
    const bound = model.items.get(iccid);
    if (bound === undefined) return;
    const told = (one as readonly ['report', number, ProfileState])[2];
    const next = NEXT[told]?.[state] ?? told;
    if (told === 'Failed' && state === 'Installed') return;
    await report(bound.euicc, bound.item, told);
    model.states.set(iccid, next);
  } else if (what === 'replace') {
    const bound = model.items.get(iccid);
    if (bound === undefined || model.ended || !['Failed', 'Unreported', 'Deleted'].includes(state)) return;
    const replacement = await orders().replaceProfile(OPERATOR, { orderId, iccid });
    const answer = await bind(orderId, [replacement.eid]).catch(() => undefined);
    const [item] = answer === undefined ? [] : boundOf(answer);
    // a replacement that was taken before answers the same and binds nothing new, as do keys that ran out
    if (item === undefined) {
      if (!model.states.has(replacement.iccid)) model.states.set(replacement.iccid, 'Available');
      return;
    }
    expect(item.bound.iccid).toBe(replacement.iccid);
    noteBound(model, bound.euicc, item);
  } else {
    const closing = (one as readonly ['end', boolean])[1];
    if (model.ended) return;
    if (closing) await orders().closeOrder(OPERATOR, { orderId });
    else await orders().cancelOrder(OPERATOR, { orderId });
    model.ended = true;
    for (const [each, current] of model.states) if (current === 'Available') model.states.set(each, 'Closed');
  }
}

/** What is told of a profile and changes nothing, or leads elsewhere, by the state that it is in. */
const NEXT: Partial<Record<ProfileState, Partial<Record<ProfileState, ProfileState>>>> = {
  Installed: { Deleted: 'Deleted' },
  Failed: { Deleted: 'Deleted' },
  Unreported: { Installed: 'Installed', Failed: 'Failed', Deleted: 'Deleted' },
};

function noteBound(model: Model, euicc: PersonalisedEuicc, item: BoundBppItem): void {
  const { iccid } = item.bound;
  expect(model.eids.has(iccid)).toBe(false);
  model.eids.set(iccid, euicc.eid);
  model.states.set(iccid, 'Delivered');
  model.items.set(iccid, { euicc, item });
}

async function compare(orderId: string, model: Model): Promise<void> {
  const { items, counts } = await status(orderId);
  expect(new Set(items.map(({ iccid }) => iccid)).size).toBe(items.length);
  expect(Object.fromEntries(items.map(({ iccid, state }) => [iccid, state]))).toEqual(
    Object.fromEntries(model.states),
  );
  for (const { iccid, eid } of items) expect(eid).toBe(model.eids.get(iccid));
  const total = Object.values(counts).reduce((sum, count) => sum + (count ?? 0), 0);
  expect(total).toBe(items.length);
}
