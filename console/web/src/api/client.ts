import type { components, paths } from './schema.gen.ts';

/** The schemas of openapi.yaml by their names. */
export type Schemas = components['schemas'];

/** What the console calls: `ops.listOrders` is at `/ifpp-draft1/ops/listOrders`. */
type PathOf<Name extends string> = Name extends `${infer Interface}.${infer Function}`
  ? `/ifpp-draft1/${Interface}/${Function}`
  : never;
type NameOf<Path> = Path extends `/ifpp-draft1/${infer Interface}/${infer Function}`
  ? `${Interface}.${Function}`
  : never;
export type FunctionName = NameOf<Extract<keyof paths, `/ifpp-draft1/${'ops' | 'admin'}/${string}`>>;

type Post<Name extends FunctionName> = paths[PathOf<Name> & keyof paths] extends { post: infer Operation }
  ? Operation
  : never;
type Json<Body> = Body extends { content: { 'application/json': infer Document } } ? Document : never;

export type Input<Name extends FunctionName> =
  Post<Name> extends { requestBody?: infer Body } ? Omit<Json<Exclude<Body, undefined>>, 'header'> : never;
export type Answer<Name extends FunctionName> =
  Post<Name> extends { responses: { 200: infer Ok } } ? Exclude<Json<Ok>, Schemas['Failed']> : never;

/** A call that was refused, or did not come through: what people are told. */
export class CallError extends Error {
  readonly status: number;
  /** `8.8.5/3.9` */
  readonly codes: string | undefined;
  /** functionCallIdentifier of the call, which the logs of the server have too. */
  readonly callId: string | undefined;

  constructor(
    message: string,
    status: number,
    { codes, callId }: { codes?: string | undefined; callId?: string } = {},
  ) {
    super(message);
    this.status = status;
    this.codes = codes;
    this.callId = callId;
  }

  /** What somebody can do about it; the message of a refusal says it by itself. */
  get wayOut(): string | undefined {
    if (this.status === 0)
      return 'Look whether the server runs and this machine has a network, and try again.';
    if (this.status === 401) return 'Log in again.';
    if (this.status === 403)
      return 'Reload the page; if that does not help, ask an administrator for the role.';
    if (this.status === 503) return 'The server is busy: try again in a moment.';
    if (this.status >= 500) return 'Give whoever runs the server what is below: its log says more.';
    return undefined;
  }
}

/** How calls are allowed: by the session's cookie and its CSRF token, or by a token of the provider. */
export interface Pass {
  readonly headers: () => Readonly<Record<string, string>>;
  /** Nobody is logged in any more. */
  readonly onEnd: () => void;
}

let pass: Pass = { headers: () => ({}), onEnd: () => undefined };
export const setPass = (given: Pass): void => {
  pass = given;
};

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Somebody has confirmed this change. */
  readonly confirmed?: true;
}

let calls = 0;

/** Calls a function; refuses with a CallError what it refused. */
export async function call<Name extends FunctionName>(
  name: Name,
  input: Input<Name>,
  { signal, confirmed }: CallOptions = {},
): Promise<Answer<Name>> {
  const header = {
    functionRequesterIdentifier: 'console',
    functionCallIdentifier: `console-${Date.now().toString(36)}-${(calls++).toString(36)}`,
  };
  const response = await fetch(`/ifpp-draft1/${name.replace('.', '/')}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-admin-protocol': 'ifpp-draft/v1.0.0',
      ...(confirmed && { 'x-console-confirmed': 'yes' }),
      ...pass.headers(),
    },
    body: JSON.stringify({ header, ...input }),
    ...(signal !== undefined && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new CallError('The server cannot be reached.', 0, { callId: header.functionCallIdentifier });
  });
  if (response.status === 401) pass.onEnd();
  const document: unknown = await response.json().catch(() => undefined);
  const failure = failureOf(document, response.status, header.functionCallIdentifier);
  if (failure !== undefined) throw failure;
  return document as Answer<Name>;
}

interface Failed {
  readonly error?: string;
  readonly header?: {
    readonly functionExecutionStatus?: {
      readonly status?: string;
      readonly statusCodeData?: {
        readonly subjectCode?: string;
        readonly reasonCode?: string;
        readonly message?: string;
      };
    };
  };
}

function failureOf(document: unknown, status: number, callId: string): CallError | undefined {
  const { error, header } = (document ?? {}) as Failed;
  if (error !== undefined) return new CallError(sentence(error), status, { callId });
  const { status: execution, statusCodeData } = header?.functionExecutionStatus ?? {};
  if (status === 200 && execution !== 'Failed') return undefined;
  const { subjectCode, reasonCode, message = `The server answered ${status}` } = statusCodeData ?? {};
  const codes = subjectCode && `${subjectCode}/${reasonCode}`;
  return new CallError(sentence(message), status, { codes, callId });
}

const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
