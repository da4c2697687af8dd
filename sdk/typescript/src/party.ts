import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { components, paths } from './openapi.ts';

export type Schemas = components['schemas'];
type Failed = Schemas['Failed'];
export type Warning = Schemas['Warning'];

/** Functions by their URL path. */
export type FunctionUrl = Extract<
  { [P in keyof paths]: paths[P] extends { post: { requestBody: unknown } } ? P : never }[keyof paths],
  `/ifpp-draft1/${string}`
>;
type JsonOf<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Members<T> = T extends unknown ? Omit<T, 'header'> : never;
export type RequestOf<P extends FunctionUrl> = Members<JsonOf<NonNullable<paths[P]['post']['requestBody']>>>;
export type AnswerOf<P extends FunctionUrl> = Exclude<JsonOf<paths[P]['post']['responses'][200]>, Failed>;

export interface PartyOptions {
  /** Scheme, host and port. */
  readonly url: string;
  /** functionRequesterIdentifier, as the SM-DPf registered it. */
  readonly identifier: string;
  /** PEM: CA of the server where it is no public one, client certificate and its key. */
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly cert: string | Buffer;
    readonly key: string | Buffer;
  };
  /** Told each warning of an answer, which also stays in the answer. By default they go to stderr. */
  readonly onWarning?: (warning: Warning, url: FunctionUrl) => void;
  /** For how long calls are tried again that found the server busy or out of reach, and Pending is waited for. */
  readonly patienceMs?: number;
}

/** A call that the SM-DPf refused, by the codes of SGP.22; another attempt would be refused alike. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly httpStatus: number;
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly subjectIdentifier: string | undefined;

  constructor(url: string, httpStatus: number, failed: Failed) {
    const data = failed.header.functionExecutionStatus.statusCodeData;
    super(`${url}: ${data.subjectCode}/${data.reasonCode} ${data.message ?? ''}`.trim());
    this.httpStatus = httpStatus;
    this.subjectCode = data.subjectCode;
    this.reasonCode = data.reasonCode;
    this.subjectIdentifier = data.subjectIdentifier;
  }
}

/** The server was busy or out of reach for longer than the party's patience. The same call may be made again, later. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

interface Exchanged {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly octets: Buffer;
}

const PATIENCE_MS = 300_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** Busy, or over the rate: HTTP 503 and 429, or 1.1/6.4 inside of 200. */
const RATE_EXCEEDED = '1.1/6.4';

/**
 * A party at its SM-DPf: mutual TLS, headers, refusals as errors, warnings told. Every call may be repeated with the same
 * content and is answered alike, so that what broke on its way is sent again by itself.
 */
export class Party {
  readonly #options: PartyOptions;
  readonly #agent: Agent;

  constructor(options: PartyOptions) {
    this.#options = options;
    this.#agent = new Agent({ connect: { ...options.tls } });
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  /** Calls a function with the members of its request; `header` is added. Throws `Refused` where it was not executed. */
  async call<P extends FunctionUrl>(url: P, members: RequestOf<P>): Promise<AnswerOf<P>> {
    return (await this.#call(url, members, this.#deadline())).answer;
  }

  /** The same call again, as long as its answer is Pending and as often as the server asks for it. */
  async callUntilDone<P extends FunctionUrl>(url: P, members: RequestOf<P>): Promise<AnswerOf<P>> {
    const deadline = this.#deadline();
    for (let attempt = 0; ; attempt++) {
      const { answer, retryAfterMs } = await this.#call(url, members, deadline);
      if (!('state' in answer) || answer.state !== 'Pending') return answer;
      await pause(attempt, retryAfterMs, deadline, url);
    }
  }

  /** Uploads content by an openTransfer of the party's interface; gives the transferId. */
  async upload(
    url: Extract<FunctionUrl, `${string}/openTransfer`>,
    purpose: Schemas['TransferPurpose'],
    content: Uint8Array,
  ): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const opened = await this.call(url, { purpose, size: content.length, sha256 });
    const headers = { ...opened.headers, 'content-length': String(content.length) };
    const { status } = await this.#exchange(opened.uploadUrl, 'PUT', headers, content, this.#deadline());
    if (status >= 300) throw new Error(`the upload was answered ${status}`);
    return opened.transferId;
  }

  /** Downloads what a getTransfer of the party's interface names; its size and SHA-256 are checked. */
  async download(
    url: Extract<FunctionUrl, `${string}/getTransfer`>,
    requestId: string,
    name: string,
  ): Promise<Buffer> {
    const { downloadUrl, size, sha256 } = await this.call(url, { requestId, name });
    const { status, octets } = await this.#exchange(downloadUrl, 'GET', {}, undefined, this.#deadline());
    if (status !== 200) throw new Error(`the download was answered ${status}`);
    if (octets.length !== size || createHash('sha256').update(octets).digest('hex') !== sha256)
      throw new Error(`${name} came otherwise than announced`);
    return octets;
  }

  async #call<P extends FunctionUrl>(url: P, members: RequestOf<P>, deadline: number) {
    const header = {
      functionRequesterIdentifier: this.#options.identifier,
      functionCallIdentifier: randomUUID(),
    };
    const body = Buffer.from(JSON.stringify({ header, ...members }));
    const headers = { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0' };
    for (let attempt = 0; ; attempt++) {
      const exchanged = await this.#exchange(
        new URL(url, this.#options.url).href,
        'POST',
        headers,
        body,
        deadline,
      );
      const answer: unknown = JSON.parse(exchanged.octets.toString('utf8'));
      if (!isFailed(answer as object)) {
        this.#tellWarnings(answer as object, url);
        return { answer: answer as AnswerOf<P>, retryAfterMs: exchanged.retryAfterMs };
      }
      const refused = new Refused(url, exchanged.status, answer as Failed);
      if (`${refused.subjectCode}/${refused.reasonCode}` !== RATE_EXCEEDED) throw refused;
      await pause(attempt, exchanged.retryAfterMs, deadline, url);
    }
  }

  #tellWarnings(answer: object, url: FunctionUrl): void {
    const { warnings = [] } = answer as { warnings?: Warning[] };
    const tell =
      this.#options.onWarning ?? (({ code, message }) => console.warn(`${url}: ${code}: ${message}`));
    for (const warning of warnings) tell(warning, url);
  }

  /** One exchange, sent again while the server is busy or out of reach. */
  async #exchange(
    url: string,
    method: 'GET' | 'POST' | 'PUT',
    headers: Record<string, string>,
    body: Uint8Array | undefined,
    deadline: number,
  ): Promise<Exchanged> {
    for (let attempt = 0; ; attempt++) {
      let retryAfterMs: number | undefined;
      try {
        const answer = await request(url, { method, headers, body: body ?? null, dispatcher: this.#agent });
        const octets = Buffer.from(await answer.body.arrayBuffer());
        const seconds = Number(answer.headers['retry-after']);
        retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
        const { statusCode: status } = answer;
        if (status < 500 && status !== 408 && status !== 429) return { status, retryAfterMs, octets };
      } catch (error) {
        if (isForGood(error)) throw error;
        if (Date.now() > deadline) throw new Unavailable(`${url} is out of reach`, { cause: error });
      }
      await pause(attempt, retryAfterMs, deadline, url);
    }
  }

  #deadline(): number {
    return Date.now() + (this.#options.patienceMs ?? PATIENCE_MS);
  }
}

const isFailed = (answer: object): answer is Failed =>
  (answer as Failed).header.functionExecutionStatus.status === 'Failed';

/** TLS that failed will fail again; a connection that broke or was refused may not. */
const isForGood = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  /^(?:ERR_TLS|ERR_SSL|CERT|DEPTH|SELF|UNABLE)/.test(String(error.code));

/** As long as the server says; otherwise longer each time, with some chance in it so that many do not come at once. */
async function pause(
  attempt: number,
  retryAfterMs: number | undefined,
  deadline: number,
  url: string,
): Promise<void> {
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
  const wait = retryAfterMs ?? backoff;
  if (Date.now() + wait > deadline) throw new Unavailable(`${url} was busy or Pending for too long`);
  await sleep(wait);
}
