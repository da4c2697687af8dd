import { createHash } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bytes } from '../shared/codec/bytes.ts';
import type { FunctionAnswer, JsonObject } from './function-answer.ts';
import { NotExecuted } from './not-executed.ts';
import { SimError } from './tlv.ts';

export type { FunctionAnswer, JsonObject } from './function-answer.ts';

/** PEM texts of one party; a client without certificate gives `ca` only. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

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
   * How long a call, an upload or a download is made again that the server sends away for later, by its Retry-After: the server is busy (1.2/6.4), or the
   * party calls more often than it may (1.1/6.4). Not at all unless given.
   */
  readonly patienceMs?: number;
}

/** Of reasons for which the same call is taken later. */
const TOO_MUCH = '6.4';

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

/** An object too large to go inline and to be held: it is sent as it is read. */
export interface SentFile {
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  read(): AsyncIterable<Bytes>;
}

/** A caller of one party over the HTTP/JSON function binding ifpp-draft/v1.0.0. */
export class FunctionClient {
  readonly #options: ClientOptions;
  /** What was uploaded already, for calls that ask how far the work on it is. */
  readonly #transfers = new WeakMap<Bytes | SentFile, unknown>();
  #calls = 0;

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
    const { httpStatus, octets, adminProtocol } = await this.#exchange(
      'POST',
      this.#url(`ifpp-draft1/${interfaceName}/${functionName}`),
      {
        'Content-Type': 'application/json',
        'X-Admin-Protocol': 'ifpp-draft/v1.0.0',
        ...this.#options.headers,
      },
      Buffer.from(body, 'utf8'),
    );
    return {
      ...readAnswer(httpStatus, octets.toString('utf8')),
      ...optional('adminProtocol', adminProtocol),
    };
  }

  /**
   * Calls with one DER object: inline as base64 under the name of its purpose, or, above 3 MB, uploaded first and
   * named by its transferId. The same object again is uploaded once, unless the server has refused the call about it.
   */
  async submit(
    interfaceName: string,
    functionName: string,
    purpose: TransferPurpose,
    object: Bytes | SentFile,
    body: JsonObject = {},
  ): Promise<FunctionAnswer> {
    if (object instanceof Uint8Array && object.length <= INLINE_LIMIT) {
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
    const { httpStatus } = await this.#exchange(
      'PUT',
      this.#url(stringAt(opened, 'uploadUrl') ?? ''),
      stringsAt(opened, 'headers'),
      object,
    );
    if (httpStatus >= 300) throw new SimError(`the upload was answered ${httpStatus}`);
    return opened.transferId;
  }

  /** GET of a URL that the server named. */
  async download(url: string): Promise<Bytes> {
    const { httpStatus, octets } = await this.#exchange('GET', this.#url(url), {});
    if (httpStatus !== 200) throw new SimError(`the download was answered ${httpStatus}`);
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

  /** A call, an upload or a download, made again as long as the server sends it away for later and the caller has patience. */
  async #exchange(...call: Exchange): Promise<Exchanged> {
    for (let left = this.#options.patienceMs ?? 0; ; ) {
      const exchanged = await this.#exchangeNow(...call);
      const waitMs = waitBefore(exchanged);
      if (waitMs === undefined || waitMs > left) return exchanged;
      left -= waitMs;
      await delay(waitMs);
    }
  }

  /** A connection that was kept and that the server closes at the very moment of its next call says nothing of the call: made again. */
  async #exchangeNow(...call: Exchange): Promise<Exchanged> {
    for (;;) {
      try {
        return await this.#exchangeOnce(...call);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
      }
    }
  }

  #exchangeOnce(...[method, url, headers, body = new Uint8Array()]: Exchange): Promise<Exchanged> {
    const { tls = {}, timeoutMs = 60_000 } = this.#options;
    const options: RequestOptions = {
      method,
      headers: { ...headers, ...(method === 'GET' ? {} : { 'Content-Length': lengthOf(body) }) },
      timeout: timeoutMs,
    };
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, ...tls, minVersion: 'TLSv1.2' })
          : httpRequest(url, options);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            httpStatus: response.statusCode ?? 0,
            octets: Buffer.concat(chunks),
            adminProtocol: response.headers['x-admin-protocol']?.toString(),
            retryAfter: response.headers['retry-after'],
          }),
        );
      });
      request.on('timeout', () => request.destroy(new SimError('the server did not answer in time')));
      const failed = (error: Error) => reject(isStale(request, error) ? new StaleConnection() : error);
      request.on('error', failed);
      if (body instanceof Uint8Array) request.end(body);
      else pipeline(body.read(), request).catch(failed);
    });
  }
}

type Exchange = [method: string, url: URL, headers: Record<string, string>, body?: Bytes | SentFile];

interface Exchanged {
  readonly httpStatus: number;
  readonly octets: Buffer;
  readonly adminProtocol: string | undefined;
  readonly retryAfter: string | undefined;
}

/** Milliseconds after which the same is taken, of what came too soon. */
function waitBefore({ httpStatus, octets, retryAfter }: Exchanged): number | undefined {
  if (retryAfter === undefined || !/^\d+$/.test(retryAfter)) return undefined;
  const { reasonCode } = readAnswer(httpStatus, octets.toString('utf8'));
  return reasonCode === TOO_MUCH ? 1_000 * Number(retryAfter) : undefined;
}

class StaleConnection extends Error {}

const isStale = ({ reusedSocket }: ClientRequest, error: Error) =>
  reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

const lengthOf = (body: Bytes | SentFile) => (body instanceof Uint8Array ? body.length : body.size);

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
