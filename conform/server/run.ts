import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { JWK } from 'jose';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { DeviceMaker } from '../../sim/device-maker.ts';
import type { SimEum } from '../../sim/eum.ts';
import { EumClient } from '../../sim/eum-client.ts';
import { type ClientOptions, type FunctionAnswer, type JsonObject, stringAt } from '../../sim/http.ts';
import { Operator } from '../../sim/operator.ts';
import { SimError } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import type { ServerRule } from './rules.ts';

export interface ServerInput {
  readonly operator: Required<Pick<ClientOptions, 'functionRequesterIdentifier'>> & ClientOptions;
  readonly eum: Required<Pick<ClientOptions, 'functionRequesterIdentifier'>> & ClientOptions;
  readonly maker: Required<Pick<ClientOptions, 'functionRequesterIdentifier'>> & ClientOptions;
  /** An EUM that the server allows for the party above, with its keys: it makes the eUICCs of the run. */
  readonly simEum: SimEum;
  /** An Unprotected Profile Package. */
  readonly template: Bytes;
  /** BPPs that are asked for in one request besides, so that the answer has pages; none unless given. */
  readonly large?: number;
  /** How long what is Pending is waited for; longer where many BPPs are asked for. */
  readonly timeoutMs?: number;
}

/** One run: its clients, and the identifiers that nobody used before. */
export class ServerRun {
  readonly input: ServerInput;
  readonly conformity: Conformity<ServerRule>;
  readonly operator: Operator;
  readonly eum: EumClient;
  readonly maker: DeviceMaker;
  readonly orderId = `CONFORM-${randomBytes(6).toString('hex')}`;
  /** 18 digits: a series of a hundred that is hardly somebody's. */
  readonly iccidStart = `8988${String(randomInt(1e12)).padStart(12, '0')}00`;

  /** The Operator's key for its output rows. */
  readonly outputKey: { readonly jwk: JsonObject; readonly privateJwk: JWK };

  constructor(input: ServerInput, conformity: Conformity<ServerRule>) {
    this.input = input;
    this.conformity = conformity;
    this.operator = new Operator(input.operator);
    this.eum = new EumClient(input.eum);
    this.maker = new DeviceMaker(input.maker);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.outputKey = {
      jwk: { ...publicKey.export({ format: 'jwk' }) },
      privateJwk: privateKey.export({ format: 'jwk' }) as JWK,
    };
  }

  /** Watches what each answer has to have, and gives it back. */
  seen(call: string, answer: FunctionAnswer): FunctionAnswer {
    this.conformity.check(
      'server.call.answer-protocol',
      answer.adminProtocol === 'ifpp-draft/v1.0.0',
      call,
      'X-Admin-Protocol: ifpp-draft/v1.0.0',
      answer.adminProtocol ?? 'none',
    );
    return answer;
  }

  /** The members of an answer that was executed; otherwise a finding, and undefined. */
  executed(id: ServerRule, call: string, answer: FunctionAnswer): JsonObject | undefined {
    this.seen(call, answer);
    if (answer.status.startsWith('Executed')) return answer.body;
    this.conformity.failed(id, call, 'Executed-Success', toldOf(answer));
    return undefined;
  }

  /** Looks whether a call as a whole is refused with this pair of codes, and not by a 5xx. */
  refused(id: ServerRule, call: string, codes: string, answer: FunctionAnswer): void {
    this.seen(call, answer);
    const { subjectCode, reasonCode, status, httpStatus } = answer;
    const holds = status === 'Failed' && `${subjectCode}/${reasonCode}` === codes && httpStatus < 500;
    this.conformity.check(id, holds, call, `Failed, ${codes}`, toldOf(answer));
  }

  /** Calls again while the answer is Pending. */
  async settled(call: () => Promise<FunctionAnswer>): Promise<FunctionAnswer> {
    const { timeoutMs = 60_000, large = 0 } = this.input;
    const deadline = Date.now() + timeoutMs + large * 50;
    for (;;) {
      const answer = await call();
      const state = stringAt(answer.body, 'state');
      if (state !== 'Pending' && state !== 'Preparing') return answer;
      if (Date.now() > deadline) throw new SimError(`still ${state} at the deadline`);
      await pause(100);
    }
  }
}

export const toldOf = ({ httpStatus, status, subjectCode, reasonCode, message }: FunctionAnswer): string =>
  `HTTP ${httpStatus}, ${status}${subjectCode === undefined ? '' : ` ${subjectCode}/${reasonCode}`}${message === undefined ? '' : `: ${message}`}`;

/** Codes of a refused item in an answer. */
export const codesOf = (item: JsonObject): string => `${String(item.subjectCode)}/${String(item.reasonCode)}`;

export const listAt = (body: JsonObject, name: string): readonly JsonObject[] =>
  Array.isArray(body[name]) ? (body[name] as readonly JsonObject[]) : [];

/** What an answer says beside its header, to compare it with that of the same call. */
export const membersOf = ({ header: _, ...members }: JsonObject): string => JSON.stringify(members);
