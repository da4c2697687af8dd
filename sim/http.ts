import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bytes } from '../shared/codec/bytes.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { type Exchange, type Exchanged, exchange, type SentFile, type TlsIdentity } from './exchange.ts';
import type { FunctionAnswer, JsonObject } from './function-answer.ts';
import { LinkRefused } from './link-refused.ts';
import { NotExecuted } from './not-executed.ts';

export type { SentFile, TlsIdentity } from './exchange.ts';
export type { FunctionAnswer, JsonObject } from './function-answer.ts';

export interface ClientOptions {
  /** Scheme, host and port, with a path prefix where the server has one. */
  readonly baseUrl: string;
  /** Absent where no party calls: a device in the field sends no header. */
  readonly functionRequesterIdentifier?: string;
  readonly tls?: TlsIdentity;
  /** Sent with every function call, for emulators that end no mutual TLS. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /**
   * How long in all a call, an upload or a download waits to be made again, the same octets under the same identifiers: while
   * the server is busy or the party calls more often than it may, as long as its Retry-After says; while what stands before it
   * has nobody to ask; where the connection broke off. Not at all unless given.
   */
  readonly patienceMs?: number;
  /** Told before each of these waits why it is. */
  readonly onWait?: (why: string, waitMs: number) => void;
}

/** Of reasons for which the same call is taken later. */
const TOO_MUCH = '6.4';
/** Too many requests; nobody to ask behind a gateway; unavailable; no answer behind it in time (RFC 9110, RFC 6585). */
const TEMPORARY: readonly number[] = [429, 502, 503, 504];

/** Milliseconds before an exchange is made again of which nobody says when: longer each time, and never of many at once. */
const backoff = (attempt: number) => Math.min(8_000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2);
/** A server that says `Retry-After: 0` for ever would be asked for ever. */
const LEAST_WAIT_MS = 20;
/** Exchanges that may break off where the server has never answered: it may be a stranger that it lets nobody of. */
const FIRST_ATTEMPTS = 3;

/** What an upload is for, and the member that carries the same object inline. */
const MEMBER_OF_PURPOSE = {
  euiccData: 'euiccDataBatch',
  bppRequest: 'bppRequest',
  profileLoadingReport: 'profileLoadingReport',
  template: 'template',
} as const;
export type TransferPurpose = keyof typeof MEMBER_OF_PURPOSE;

/** Octets of an object whose base64 stays inside a body of 4 MB. */
export const INLINE_LIMIT = 3_000_000;

/**
 * Octets up to which an object goes inline in a call that is made again to ask how far the work on it is: a larger one would be
 * sent, and held as base64, with each question. An upload is sent once, and a question names it by its transferId.
 */
export const ASKED_AGAIN_LIMIT = 262_144;
const ASKED_AGAIN: readonly TransferPurpose[] = ['euiccData', 'profileLoadingReport'];

/** A caller of one party over the HTTP/JSON function binding ifpp-draft/v1.0.0. */
export class FunctionClient {
  readonly #options: ClientOptions;
  /** What was uploaded already, for calls that ask how far the work on it is. */
  readonly #transfers = new WeakMap<Bytes | SentFile, unknown>();
  #calls = 0;
  /** The server has answered before: where it does not now, it is not the address that is wrong. */
  #hasAnswered = false;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** POST /ifpp-draft1/<interfaceName>/<functionName>; `body` goes behind the header. */
  async call(interfaceName: string, functionName: string, body: JsonObject): Promise<FunctionAnswer> {
    const { functionRequesterIdentifier } = this.#options;
    const functionCallIdentifier = `${functionName}-${++this.#calls}`;
    const header =
      functionRequesterIdentifier === undefined
        ? {}
        : { header: { functionRequesterIdentifier, functionCallIdentifier } };
    return await this.post(interfaceName, functionName, JSON.stringify({ ...header, ...body }));
  }

  /** The same with a text for body, whatever it is. */
  async post(interfaceName: string, functionName: string, body: string): Promise<FunctionAnswer> {
    const { httpStatus, octets, adminProtocol } = await this.#exchange({
      method: 'POST',
      url: this.#url(`ifpp-draft1/${interfaceName}/${functionName}`),
      headers: {
        'Content-Type': 'application/json',
        'X-Admin-Protocol': 'ifpp-draft/v1.0.0',
        ...this.#options.headers,
      },
      body: Buffer.from(body, 'utf8'),
    });
    return {
      ...readAnswer(httpStatus, octets.toString('utf8')),
      ...optional('adminProtocol', adminProtocol),
    };
  }

  /**
   * Calls with one DER object: inline as base64 under the name of its purpose, or, above 3 MB and above 256 KiB of what is asked
   * about again, uploaded first and named by its transferId. The same object again is uploaded once, unless the server has refused
   * the call about it.
   */
  async submit(
    interfaceName: string,
    functionName: string,
    purpose: TransferPurpose,
    object: Bytes | SentFile,
    body: JsonObject = {},
  ): Promise<FunctionAnswer> {
    const limit = ASKED_AGAIN.includes(purpose) ? ASKED_AGAIN_LIMIT : INLINE_LIMIT;
    if (object instanceof Uint8Array && object.length <= limit) {
      return this.call(interfaceName, functionName, {
        ...body,
        [MEMBER_OF_PURPOSE[purpose]]: base64(object),
      });
    }
    const transferId = this.#transfers.get(object) ?? (await this.#upload(interfaceName, purpose, object));
    this.#transfers.set(object, transferId);
    const answer = await this.call(interfaceName, functionName, { ...body, transferId });
    if (answer.httpStatus < 500 && !answer.status.startsWith('Executed')) this.#transfers.delete(object);
    return answer;
  }

  /** The transferId. */
  async #upload(interfaceName: string, purpose: TransferPurpose, object: Bytes | SentFile): Promise<unknown> {
    const { size, sha256 } =
      object instanceof Uint8Array
        ? { size: object.length, sha256: createHash('sha256').update(object).digest('hex') }
        : object;
    const opened = await this.execute(interfaceName, 'openTransfer', { purpose, size, sha256 });
    const { httpStatus } = await this.#exchange({
      method: 'PUT',
      url: this.#url(stringAt(opened, 'uploadUrl') ?? ''),
      headers: stringsAt(opened, 'headers'),
      body: object,
    });
    if (httpStatus >= 300) throw new LinkRefused('upload', httpStatus);
    return opened.transferId;
  }

  /** GET of a URL that the server named. */
  async download(url: string): Promise<Bytes> {
    const { httpStatus, octets } = await this.#exchange({ method: 'GET', url: this.#url(url), headers: {} });
    if (httpStatus !== 200) throw new LinkRefused('download', httpStatus);
    return octets;
  }

  /** Calls and throws unless the function was executed, with or without warning. */
  async execute(interfaceName: string, functionName: string, body: JsonObject): Promise<JsonObject> {
    return executed(await this.call(interfaceName, functionName, body));
  }

  /** A path of this server, or an absolute URL that it named. */
  #url(path: string): URL {
    return new URL(path, `${this.#options.baseUrl.replace(/\/$/, '')}/`);
  }

  /** A call, an upload or a download: the one place where any is made again. Every one of them may be repeated. */
  async #exchange(call: Exchange): Promise<Exchanged> {
    const { patienceMs = 0, onWait } = this.#options;
    for (let left = patienceMs, attempt = 0; ; attempt++) {
      const outcome = await this.#outcome(call);
      const wait = this.#waitAfter(outcome, attempt);
      if (wait === undefined || wait.waitMs > left) {
        if (outcome instanceof ConnectionFailure) throw outcome;
        return outcome;
      }
      const waitMs = Math.max(wait.waitMs, LEAST_WAIT_MS);
      left -= waitMs;
      onWait?.(wait.why, waitMs);
      await delay(waitMs);
    }
  }

  async #outcome(call: Exchange): Promise<Exchanged | ConnectionFailure> {
    const { tls = {}, timeoutMs = 60_000 } = this.#options;
    try {
      const exchanged = await exchange(call, { tls, timeoutMs });
      this.#hasAnswered = true;
      return exchanged;
    } catch (error) {
      if (error instanceof ConnectionFailure) return error;
      throw error;
    }
  }

  /** After what time the same may be taken; undefined of an answer that stays, and of a failure that does. */
  #waitAfter(outcome: Exchanged | ConnectionFailure, attempt: number): Wait | undefined {
    if (outcome instanceof ConnectionFailure) {
      const { kind, message } = outcome;
      const mayPass =
        kind === 'brokenOff'
          ? this.#hasAnswered || attempt + 1 < FIRST_ATTEMPTS
          : kind === 'unreachable' && this.#hasAnswered;
      return mayPass ? { why: message, waitMs: backoff(attempt) } : undefined;
    }
    const { httpStatus, octets, retryAfterMs } = outcome;
    const isTemporary = TEMPORARY.includes(httpStatus);
    if (!isTemporary && retryAfterMs === undefined) return undefined;
    const { reasonCode, message } = readAnswer(httpStatus, octets.toString('utf8'));
    if (!isTemporary && reasonCode !== TOO_MUCH) return undefined;
    // what stands before a server answers with pages of its own
    const why =
      reasonCode === undefined ? `HTTP ${httpStatus}` : `HTTP ${httpStatus}, ${message ?? reasonCode}`;
    return { why, waitMs: retryAfterMs ?? backoff(attempt) };
  }
}

interface Wait {
  readonly why: string;
  readonly waitMs: number;
}

/** Members of an object that are texts; none where it is missing. */
function stringsAt(object: JsonObject, name: string): Record<string, string> {
  const members = Object.entries((object[name] ?? {}) as JsonObject);
  return Object.fromEntries(
    members.filter((member): member is [string, string] => typeof member[1] === 'string'),
  );
}

/** The members of an executed function, with warning or without; throws on anything else. */
export function executed(answer: FunctionAnswer): JsonObject {
  if (answer.status.startsWith('Executed')) return answer.body;
  throw new NotExecuted(answer);
}

function readAnswer(httpStatus: number, text: string): FunctionAnswer {
  if (httpStatus === 204) return { httpStatus, body: {}, status: 'Executed-Success' };
  let body: JsonObject;
  try {
    body = JSON.parse(text) as JsonObject;
  } catch {
    return { httpStatus, body: {}, status: 'Failed', message: text.slice(0, 200) };
  }
  const execution = objectAt(objectAt(body, 'header'), 'functionExecutionStatus');
  const statusCode = objectAt(execution, 'statusCodeData');
  return {
    httpStatus,
    body,
    status: stringAt(execution, 'status') ?? 'Failed',
    ...optional('subjectCode', stringAt(statusCode, 'subjectCode')),
    ...optional('reasonCode', stringAt(statusCode, 'reasonCode')),
    ...optional('message', stringAt(statusCode, 'message')),
  };
}

function optional<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: string });
}

export function objectAt(value: JsonObject, name: string): JsonObject {
  const field = value[name];
  return typeof field === 'object' && field !== null ? (field as JsonObject) : {};
}

export function stringAt(value: JsonObject, name: string): string | undefined {
  const field = value[name];
  return typeof field === 'string' ? field : undefined;
}

export const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');
