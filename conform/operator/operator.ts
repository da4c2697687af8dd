import { request } from 'node:https';
import type { TlsIdentity } from '../../sim/http.ts';
import { type Check, Conformity } from '../conformity.ts';
import {
  type Callback,
  type CallbackContent,
  newSigningKey,
  type SigningKey,
  signedCallback,
} from './callback.ts';
import { OPERATOR_RULES, type OperatorRule } from './rules.ts';

export interface OperatorInput {
  /** Where the receiver listens: the callbackUrl of an order, https. */
  readonly url: string;
  /** CA of the receiver, and the client certificate that it trusts, PEM. */
  readonly tls: TlsIdentity;
  /** The receiver knows its public part as one of deliveryKeys. */
  readonly deliveryKey: SigningKey;
  readonly now: Date;
  /** The receiver takes several notices in a call (callbackBatch). */
  readonly batch?: boolean;
  readonly timeoutMs?: number;
}

const DAY = 24 * 3600;
/** Characters of an answer that are looked at. */
const LONGEST_ANSWER = 65_536;

/** Drives an Operator's receiver of callbacks with right ones and wrong ones. */
export async function conformOperator(input: OperatorInput): Promise<readonly Check[]> {
  const conformity = new Conformity<OperatorRule>(OPERATOR_RULES);
  const now = Math.floor(input.now.getTime() / 1000);
  const ofTheDay = newSigningKey();
  const right = { aud: input.url, iat: now, endorsedAt: now - 60 };
  const callback = (wrong: Partial<CallbackContent> = {}): Callback =>
    signedCallback({ ...right, ...wrong }, input.deliveryKey, ofTheDay);

  const first = callback();
  const status = await post(input, input.tls, first);
  const isThere = typeof status === 'number';
  conformity.check(
    'operator.tls.server',
    isThere,
    input.url,
    'a TLS connection and an answer',
    String(status),
  );
  if (!isThere) {
    const rest = (Object.keys(OPERATOR_RULES) as OperatorRule[]).filter((id) => id !== 'operator.tls.server');
    conformity.skip('the receiver cannot be reached', ...rest);
    return conformity.checks;
  }
  const taken = (id: OperatorRule, what: string, answer: number | string) =>
    conformity.check(
      id,
      typeof answer === 'number' && answer >= 200 && answer < 300,
      what,
      '2xx',
      told(answer),
    );
  const refused = async (id: OperatorRule, what: string, { body, signature }: Partial<Callback>) => {
    const answer = await post(input, input.tls, { body: body ?? '', ...(signature && { signature }) });
    const holds = typeof answer === 'number' && answer >= 400 && answer < 500;
    conformity.check(id, holds, what, '4xx', told(answer));
  };
  taken('operator.taken', 'a right callback', status);
  taken('operator.repeat', 'the same again', await post(input, input.tls, first));
  const late = callback({ iat: now - DAY, endorsedAt: now - DAY - 60 });
  taken('operator.late', 'a callback of yesterday', await post(input, input.tls, late));
  const { ca } = input.tls;
  const anonymous = await post(input, ca === undefined ? {} : { ca }, callback());
  const isRefused = typeof anonymous === 'string' || (anonymous >= 400 && anonymous < 500);
  const what = 'a right callback without a client certificate';
  conformity.check(
    'operator.tls.client-certificate',
    isRefused,
    what,
    'no connection, or 4xx',
    told(anonymous),
  );

  const another = newSigningKey();
  await refused('operator.unsigned', 'no X-JWS-Signature', { body: callback().body });
  const changed = callback();
  await refused('operator.body', 'Installed became Failed', {
    ...changed,
    body: changed.body.replace('"Installed"', '"Failed"'),
  });
  await refused('operator.audience', 'aud is another URL', callback({ aud: `${input.url}/other` }));
  await refused('operator.type', 'typ is JWT', callback({ typ: 'JWT' }));
  await refused('operator.algorithm', 'alg is none', callback({ alg: 'none' }));
  await refused('operator.endorsement', 'endorsed by an unknown key', callback({ endorser: another }));
  await refused('operator.expired', 'endorsed for the day before', callback({ endorsedAt: now - DAY - 60 }));
  await refused('operator.key', 'signed by a key that is not endorsed', callback({ signer: another }));
  if (input.batch !== true) {
    conformity.skip('calls with several notices were not asked for', ...OF_BATCHES);
    return conformity.checks;
  }
  const several = callback({ together: BATCH });
  const answer = await call(input, input.tls, several);
  taken('operator.batch.taken', `a right call with ${BATCH} notices`, statusOf(answer));
  conformity.check(
    'operator.batch.answer',
    takesAll(answer),
    'the answer to it',
    'no body, or a JSON object that refuses none',
    typeof answer === 'string' ? answer : answer.body.slice(0, 200),
  );
  taken('operator.batch.repeat', 'the same again', await post(input, input.tls, several));
  await refused('operator.batch.body', 'one of its notices became Failed', {
    ...several,
    body: several.body.replace('"Installed"', '"Failed"'),
  });
  return conformity.checks;
}

/** Notices of a call with several. */
const BATCH = 3;
const OF_BATCHES = (Object.keys(OPERATOR_RULES) as OperatorRule[]).filter((id) =>
  id.startsWith('operator.batch.'),
);

/** As the server reads it: no body, or a JSON object whose `refused`, where it has one, is empty. */
function takesAll(answer: Answer | string): boolean {
  if (typeof answer === 'string') return false;
  if (answer.body.trim() === '') return true;
  try {
    const body: unknown = JSON.parse(answer.body);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
    const refused: unknown = 'refused' in body ? body.refused : [];
    return Array.isArray(refused) && refused.length === 0;
  } catch {
    return false;
  }
}

const told = (answer: number | string): string => (typeof answer === 'number' ? `HTTP ${answer}` : answer);

interface Answer {
  readonly status: number;
  readonly body: string;
}

const statusOf = (answer: Answer | string): number | string =>
  typeof answer === 'string' ? answer : answer.status;

/** The status of the answer, or why there was none. */
const post = async (...args: Parameters<typeof call>): Promise<number | string> =>
  statusOf(await call(...args));

/** The answer, or why there was none. */
function call(
  { url, timeoutMs = 10_000 }: OperatorInput,
  tls: TlsIdentity,
  { body, signature }: { readonly body: string; readonly signature?: string },
): Promise<Answer | string> {
  return new Promise((resolve) => {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'X-Admin-Protocol': 'ifpp-draft/v1.0.0',
      ...(signature === undefined ? {} : { 'X-JWS-Signature': signature }),
    };
    const options = { method: 'POST', headers, agent: false as const, timeout: timeoutMs, ...tls };
    const outgoing = request(url, { ...options, minVersion: 'TLSv1.2' }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        if (body.length < LONGEST_ANSWER) body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', (error) => resolve(error.message));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.end(body);
  });
}
