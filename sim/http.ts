import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SimError } from './tlv.ts';

/** PEM texts of one party; a client without certificate gives `ca` only. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ClientOptions {
  /** Scheme, host and port, with a path prefix where the server has one. */
  readonly baseUrl: string;
  readonly functionRequesterIdentifier: string;
  readonly tls?: TlsIdentity;
  readonly timeoutMs?: number;
}

export type JsonObject = { readonly [name: string]: unknown };

export interface FunctionAnswer {
  readonly httpStatus: number;
  /** Empty for 204. */
  readonly body: JsonObject;
  /** functionExecutionStatus.status; `Executed-Success` for 204. */
  readonly status: string;
  readonly subjectCode?: string;
  readonly reasonCode?: string;
  readonly message?: string;
}

/** A caller of one party over the HTTP/JSON function binding ifpp-draft/v1.0.0. */
export class FunctionClient {
  readonly #options: ClientOptions;
  #calls = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** POST /ifpp-draft1/<interfaceName>/<functionName>; `body` goes behind the header. */
  async call(interfaceName: string, functionName: string, body: JsonObject): Promise<FunctionAnswer> {
    const header = {
      functionRequesterIdentifier: this.#options.functionRequesterIdentifier,
      functionCallIdentifier: `${functionName}-${++this.#calls}`,
    };
    const url = new URL(
      `${this.#options.baseUrl.replace(/\/$/, '')}/ifpp-draft1/${interfaceName}/${functionName}`,
    );
    const { httpStatus, text } = await this.#post(url, JSON.stringify({ header, ...body }));
    return readAnswer(httpStatus, text);
  }

  /** Calls and throws unless the function was executed, with or without warning. */
  async execute(interfaceName: string, functionName: string, body: JsonObject): Promise<JsonObject> {
    const answer = await this.call(interfaceName, functionName, body);
    if (!answer.status.startsWith('Executed')) {
      const code = `${answer.subjectCode ?? '-'}/${answer.reasonCode ?? '-'}`;
      throw new SimError(
        `${functionName}: HTTP ${answer.httpStatus}, ${answer.status} ${code} ${answer.message ?? ''}`,
      );
    }
    return answer.body;
  }

  #post(url: URL, body: string): Promise<{ httpStatus: number; text: string }> {
    const { tls = {}, timeoutMs = 60_000 } = this.#options;
    const options: RequestOptions = {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Admin-Protocol': 'ifpp-draft/v1.0.0',
        'Content-Length': Buffer.byteLength(body),
      },
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
          resolve({ httpStatus: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      request.on('timeout', () => request.destroy(new SimError('the server did not answer in time')));
      request.on('error', reject);
      request.end(body);
    });
  }
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
