import { randomBytes } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { type BppBatch, type BppItem, decodeBppBatch, encodeBppBatch } from '../../sim/ifpp-draft1.ts';
import type { Answer, Call, Fault } from './faulty-server.ts';

/** Something that a server may do wrong, and the rule by which it is found. */
export interface ServerFault extends Fault {
  readonly what: string;
  readonly rule: string;
}

type Members = Record<string, unknown>;

const membersOf = ({ body }: Answer): Members => JSON.parse(body) as Members;
const isExecuted = ({ body }: Answer): boolean => body.includes('"status":"Executed');
const told = (answer: Answer, members: Members): Answer => ({ ...answer, body: JSON.stringify(members) });

/** Answers one function otherwise than the server behind. */
const answering =
  (
    name: string,
    change: (answer: Answer, call: Call) => Answer | Promise<Answer>,
  ): NonNullable<Fault['call']> =>
  async (call) => {
    const answer = await call.forward();
    return call.name === name ? await change(answer, call) : answer;
  };

/** Changes the members of an answer that was executed. */
const executed = (name: string, change: (members: Members, call: Call) => Members) =>
  answering(name, (answer, call) =>
    isExecuted(answer) ? told(answer, change(membersOf(answer), call)) : answer,
  );

/** Changes the BppBatch of each answer that has more than one bound item in it. */
const batch = (change: (batch: BppBatch, call: Call) => BppBatch) =>
  executed('esbpp.requestBpp', (members, call) => {
    // one with pages has none
    if (members.bppBatch === undefined) return members;
    const decoded = decodeBppBatch(Buffer.from(String(members.bppBatch), 'base64'));
    if (decoded.items.length < 2) return members;
    return { ...members, bppBatch: Buffer.from(encodeBppBatch(change(decoded, call))).toString('base64') };
  });

const items = (change: (items: readonly BppItem[]) => readonly BppItem[]) =>
  batch((decoded) => ({ ...decoded, items: change(decoded.items) }));

const flipped = (octets: Bytes, at: number): Bytes => {
  const copy = Uint8Array.from(octets);
  copy[at]! ^= 1;
  return copy;
};

/** Where a call was refused with these codes, another pair of them. */
const recoded = (name: string, from: string, to: readonly [string, string]): NonNullable<Fault['call']> =>
  answering(name, (answer) => {
    const [subject, reason] = from.split('/');
    const wanted = `"subjectCode":"${subject}","reasonCode":"${reason}"`;
    return {
      ...answer,
      body: answer.body.replace(wanted, `"subjectCode":"${to[0]}","reasonCode":"${to[1]}"`),
    };
  });

/** The first answer of a function that was executed, told again where the server behind refuses a later call. */
function forgiving(name: string): NonNullable<Fault['call']> {
  let first: Answer | undefined;
  return answering(name, (answer) => {
    if (isExecuted(answer)) first ??= answer;
    return answer.body.includes('"reasonCode":"3.11"') && first !== undefined ? first : answer;
  });
}

/** Changes the root of an answer with pages. */
const withRoot =
  (change: (der: Bytes) => Bytes): NonNullable<Fault['call']> =>
  async ({ forward }) => {
    const answer = await forward();
    const members = answer.body.includes('"manifestRoot"') ? membersOf(answer) : undefined;
    if (members === undefined) return answer;
    const manifestRoot = change(Buffer.from(String(members.manifestRoot), 'base64'));
    return told(answer, { ...members, manifestRoot: Buffer.from(manifestRoot).toString('base64') });
  };

/** Answers calls for a page otherwise than the server behind. */
const pages =
  (answer: NonNullable<Fault['call']>): NonNullable<Fault['call']> =>
  async (call) =>
    await (call.name === 'esbpp.getBppBatch' && call.body.page !== undefined ? answer(call) : call.forward());

export const SERVER_FAULTS: readonly ServerFault[] = [
  {
    what: 'takes calls without a client certificate',
    rule: 'server.tls.client-certificate',
    takesAnyone: true,
  },
  {
    what: 'leaves X-Admin-Protocol out of its answers',
    rule: 'server.call.answer-protocol',
    call: async ({ forward }) => {
      const {
        headers: { 'x-admin-protocol': _, ...headers },
        ...answer
      } = await forward();
      return { ...answer, headers };
    },
  },
  {
    what: 'flips an octet inside a BPP',
    rule: 'server.bpp.installs',
    call: items(([first, ...rest]) => [
      {
        ...first!,
        bound: { ...first!.bound!, bpp: flipped(first!.bound!.bpp, first!.bound!.bpp.length - 1) },
      },
      ...rest,
    ]),
  },
  {
    what: 'exchanges the BPPs of two eUICCs',
    rule: 'server.request.transaction',
    call: items(([first, second, ...rest]) => [
      { ...first!, bound: { ...first!.bound!, bpp: second!.bound!.bpp } },
      { ...second!, bound: { ...second!.bound!, bpp: first!.bound!.bpp } },
      ...rest,
    ]),
  },
  {
    what: 'names the wrong ICCID',
    rule: 'server.bpp.profile',
    call: items(([first, second, ...rest]) => [
      { ...first!, bound: { ...first!.bound!, iccid: second!.bound!.iccid } },
      { ...second!, bound: { ...second!.bound!, iccid: first!.bound!.iccid } },
      ...rest,
    ]),
  },
  {
    what: 'answers a repeat with other octets',
    rule: 'server.request.repeat',
    call: batch((decoded, { before }) =>
      before === 0
        ? decoded
        : {
            ...decoded,
            items: decoded.items.map((item) =>
              item.failed === undefined
                ? item
                : { ...item, failed: { ...item.failed, message: `no ${before}` } },
            ),
          },
    ),
  },
  {
    what: 'answers under another requestId',
    rule: 'server.request.batch',
    call: batch((decoded) => ({ ...decoded, requestId: randomBytes(16) })),
  },
  {
    what: 'leaves out the items that it refuses',
    rule: 'server.request.batch',
    call: items((all) => all.filter(({ bound }) => bound !== undefined)),
  },
  {
    what: 'puts the keyId of another eUICC into an item',
    rule: 'server.request.key',
    call: items(([first, second, ...rest]) => [
      { ...first!, bound: { ...first!.bound!, keyId: second!.bound!.keyId } },
      second!,
      ...rest,
    ]),
  },
  {
    what: 'sends a chain that is not its own',
    rule: 'server.request.chain',
    call: batch((decoded) => ({
      ...decoded,
      chains: decoded.chains.map((chain) => ({ ...chain, ciPkId: flipped(chain.ciPkId, 0) })),
    })),
  },
  {
    what: 'has another status code for an order that does not exist',
    rule: 'server.order.unknown',
    call: recoded('es2f.getOrderStatus', '8.8.5/3.9', ['8.8.5', '2.1']),
  },
  {
    what: 'answers what is not JSON with HTTP 500',
    rule: 'server.call.malformed',
    call: answering('es2f.getOrderStatus', (answer) =>
      answer.body.includes('"subjectCode":"1.3.1"') ? { ...answer, status: 500 } : answer,
    ),
  },
  {
    what: 'takes another order under the same orderId',
    rule: 'server.order.changed',
    call: forgiving('es2f.prepareProfiles'),
  },
  {
    what: 'takes another request under the same requestId',
    rule: 'server.request.changed',
    call: forgiving('esbpp.requestBpp'),
  },
  {
    what: 'accepts entries whose proof is wrong',
    rule: 'server.register.proof',
    call: executed('esed1.registerEuiccData', (members) =>
      members.rejectedCount === 1 ? { ...members, accepted: 2, rejected: [], rejectedCount: 0 } : members,
    ),
  },
  {
    what: 'takes a forged result for a verified one',
    rule: 'server.report.forged',
    call: executed('esbpp.sendProfileLoadingReport', (members) =>
      members.verified === 0 ? { ...members, verified: 1, rejected: [], rejectedCount: 0 } : members,
    ),
  },
  {
    what: 'forgets what was reported',
    rule: 'server.report.state',
    call: executed('es2f.getOrderStatus', (members) => ({
      ...members,
      items: (members.items as Members[]).map((item) => ({ ...item, state: 'Bound' })),
    })),
  },
  {
    what: 'signs the root of its pages with another key',
    rule: 'server.pages.root',
    call: withRoot((der) => flipped(der, der.length - 1)),
  },
  {
    what: 'answers each page in the place of the one before it',
    rule: 'server.pages.proof',
    call: pages(
      async ({ forward, body }) => await forward({ body: { ...body, page: Number(body.page) + 1 } }),
    ),
  },
  {
    what: 'answers a page behind the last one with the last one',
    rule: 'server.pages.beyond',
    call: pages(async ({ forward, body }) => {
      const answer = await forward();
      return isExecuted(answer) ? answer : await forward({ body: { ...body, page: Number(body.page) - 1 } });
    }),
  },
  {
    what: 'tells the private part of its delivery key',
    rule: 'server.delivery-keys',
    call: executed('esbpp.getServerKeys', (members) => ({
      ...members,
      deliveryKeys: (members.deliveryKeys as Members[]).map((key) => ({ ...key, d: 'AA' })),
    })),
  },
];
