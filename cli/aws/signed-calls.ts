import { createHash, createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { awsClient } from '../../shared/aws/client-config.ts';
import { Fault } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import { isObject } from '../../shared/service/records/schema.ts';

/** An answer of AWS that is an error: its code and words are for the person who runs the check. */
export class AwsError extends Error {
  override readonly name: string;
  readonly httpStatus: number;
  constructor(name: string, message: string, httpStatus: number) {
    super(message);
    this.name = name;
    this.httpStatus = httpStatus;
  }
}

const TIMEOUT_MS = 15_000;
/** Of a call that AWS sends away for later; the APIs of its control plane take a few calls a second of an account. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 200;
const THROTTLED = /throttl|TooManyRequests|RequestLimitExceeded|SlowDown/i;

/**
 * Signed calls (Signature Version 4) of services that the server itself does not use, with the credentials and the
 * endpoint of the SDK's own configuration: a client of the SDK for each of them would be a dependency for one call.
 */
export class SignedCalls {
  readonly region: string;
  readonly #client: SQSClient;

  constructor(region: string) {
    this.region = region;
    this.#client = new SQSClient({ ...awsClient(), region });
  }

  /** AWS JSON: `target` such as `GraniteServiceVersion20100801.DescribeAlarms`. */
  async json(service: string, version: '1.0' | '1.1', target: string, body: object): Promise<Json> {
    const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target };
    return (await this.#send(service, 'POST', '/', headers, JSON.stringify(body))).json;
  }

  /** The query protocol; the answer is XML, of which `elementOf` reads an element. */
  async query(
    service: string,
    version: string,
    action: string,
    parameters: Record<string, string>,
  ): Promise<string> {
    const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return (await this.#send(service, 'POST', '/', headers, body)).text;
  }

  async get(service: string, path: string): Promise<Json> {
    return (await this.#send(service, 'GET', path, {}, '')).json;
  }

  /** Milliseconds by which this machine's clock is ahead of the service's, from the Date of an answer. */
  async clockAhead(): Promise<number> {
    const sent = Date.now();
    const { date } = await this.#send(
      'sts',
      'POST',
      '/',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Action=GetCallerIdentity&Version=2011-06-15',
    );
    if (date === null) throw new Fault('configuration', 'the service tells no time');
    // the Date has whole seconds
    return (sent + Date.now()) / 2 - (Date.parse(date) + 500);
  }

  close(): void {
    this.#client.destroy();
  }

  /** Every call, made again where AWS is busy: what these calls change may be changed twice alike. */
  async #send(...call: SignedCall): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sendOnce(...call);
      } catch (error) {
        const isBusy =
          error instanceof AwsError &&
          (error.httpStatus >= 500 || error.httpStatus === 429 || THROTTLED.test(error.name));
        if (!isBusy || attempt === ATTEMPTS) throw error;
        await pause(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
      }
    }
  }

  async #sendOnce(...[service, method, path, headers, body]: SignedCall): Promise<Answer> {
    const url = new URL(path, endpointOf(service, this.region));
    const signer = new SignatureV4({
      service,
      region: this.region,
      credentials: this.#client.config.credentials,
      sha256: Sha256,
    });
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port !== '' && { port: Number(url.port) }),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...headers },
      body,
    });
    const response = await fetch(url, {
      method,
      headers: signed.headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(method !== 'GET' && { body }),
    }).catch((error: Error) => unreached(url, error));
    const text = await response.text().catch((error: Error) => unreached(url, error));
    if (!response.ok) throw errorOf(text, response.status);
    return {
      text,
      json: jsonOf(text),
      date: response.headers.get('date'),
    };
  }
}

type SignedCall = [
  service: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string,
];

interface Answer {
  readonly text: string;
  readonly json: Json;
  readonly date: string | null;
}

/** `fetch` says no more than that it failed; why is in its cause. */
function unreached(url: URL, error: Error): never {
  const cause = error.cause instanceof Error ? error.cause : error;
  const why = cause.message || ('code' in cause ? String(cause.code) : cause.name);
  throw new Fault('configuration', `${url.origin} cannot be reached: ${why}`, { cause, retryable: true });
}

export type Json = Readonly<Record<string, unknown>>;

/** The elements of `member` of every page of an answer, which `NextToken` leads through. */
export async function pagesOf<T>(member: string, ask: (more: Json) => Promise<Json>): Promise<T[]> {
  const all: T[] = [];
  let NextToken: unknown;
  do {
    const page = await ask(present({ NextToken }));
    all.push(...((page[member] ?? []) as T[]));
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== '');
  return all;
}

/** The text of the first element of that name. */
export const elementOf = (xml: string, element: string): string | undefined =>
  new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];

function endpointOf(service: string, region: string): string {
  const named = process.env[`AWS_ENDPOINT_URL_${service.toUpperCase().replaceAll('-', '_')}`];
  return (
    named ?? process.env.AWS_ENDPOINT_URL ?? `https://${HOSTS[service] ?? service}.${region}.amazonaws.com`
  );
}

/** Host names of services that are not called as they sign. */
const HOSTS: Readonly<Record<string, string>> = { cloudwatch: 'monitoring', monitoring: 'monitoring' };

/** The members of an answer in JSON; none where it is something else. */
function jsonOf(text: string): Json {
  if (!text.startsWith('{')) return {};
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : {};
}

function errorOf(text: string, status: number): AwsError {
  const json = jsonOf(text);
  const code = String(json.__type ?? json.code ?? elementOf(text, 'Code') ?? `HTTP ${status}`);
  const message = String(json.message ?? json.Message ?? elementOf(text, 'Message') ?? '');
  return new AwsError(code.split('#').at(-1)!, message, status);
}

type Octets = string | ArrayBuffer | ArrayBufferView;

const plain = (octets: Octets): string | Uint8Array => {
  if (typeof octets === 'string') return octets;
  return ArrayBuffer.isView(octets)
    ? new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength)
    : new Uint8Array(octets);
};

/** SHA-256 and HMAC as the signer asks for them. */
class Sha256 {
  readonly #hash;
  constructor(key?: Octets) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', plain(key));
  }
  update(chunk: Octets): void {
    this.#hash.update(plain(chunk));
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
}
