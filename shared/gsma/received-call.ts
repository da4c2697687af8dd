import { type Bytes, utf8 } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { Caller } from '../service/api/caller.ts';
import { openObject } from './check.ts';
import { functionCallIdentifier, type RequestHeader, requestHeader } from './header.ts';
import type { FunctionName, PartyFunction } from './interface-function.ts';
import { parseJson } from './json.ts';
import { MAX_BODY } from './limits.ts';
import { bodyType, type Headers } from './media-type.ts';
import { TransportRefusal } from './transport-refusal.ts';

/** An HTTP request, wherever it came in. */
export interface HttpRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly readBody: ReadBody;
  /** The front has read it before it asks anybody: waiting for who sent it saves no octets. */
  readonly bodyIsHere?: true;
  /** What TLS has proved possession of the key of, in DER or PEM; undefined where it asked for none or got none. */
  readonly clientCertificate: Bytes | string | undefined;
}

/**
 * Reads the body: octets as received, or their text where the front has decoded UTF-8 already; undefined where there are
 * more than `limit`, announced or counted, and no more are read. Called once and not before it is known who sent the
 * request (I13); `caller` is undefined on ES9+. Refuses what the front does not admit, and a body without its end.
 */
export type ReadBody = (limit: number, caller: Caller | undefined) => Promise<Bytes | string | undefined>;

export interface ReceivedCall<Input> {
  readonly functionCallIdentifier: string | undefined;
  readonly input: Input;
}

/** How a function reads its body. */
type BodyReader<Input> = Pick<PartyFunction<FunctionName, Input>, 'body' | 'fromDer' | 'maxBody'>;

/** A body of a kind and size that the function takes; nothing in it is checked yet. */
export interface ReceivedBody {
  readonly type: 'json' | 'der';
  readonly content: Bytes | string;
}

/** What HTTP asks of a request before anybody is asked who sent it: 405, 415. Gives the kind of its body. */
export function checkRequest(
  { method, headers }: Pick<HttpRequest, 'method' | 'headers'>,
  { fromDer }: BodyReader<unknown>,
): ReceivedBody['type'] {
  if (method !== 'POST') {
    throw new TransportRefusal(405, 'functionUnsupported', 'functions are called by POST');
  }
  return bodyType(headers, fromDer !== undefined);
}

/** The body of a caller that is known, or of anyone on ES9+: 413 where it is over the limit of the function. */
export async function receiveBody(
  { readBody }: Pick<HttpRequest, 'readBody'>,
  { maxBody = MAX_BODY }: BodyReader<unknown>,
  type: ReceivedBody['type'],
  caller: Caller | undefined,
): Promise<ReceivedBody> {
  const content = await readBody(maxBody, caller);
  if (content === undefined || sizeOf(content) > maxBody) {
    const other = caller === undefined ? '' : '; use openTransfer';
    throw new TransportRefusal(413, 'tooLarge', `a body has at most ${maxBody} octets${other}`);
  }
  return { type, content };
}

const sizeOf = (body: Bytes | string): number =>
  typeof body === 'string' ? Buffer.byteLength(body) : body.length;

/**
 * Reads the header and the input of a function. A party must name itself in the header as the register does: another
 * name there is a mix-up of certificates or of parties behind one proxy. On ES9+ (no party) the header is optional,
 * as LPAs send none. A DER body has no header; X-Function-Call-Identifier may take its place in the logs.
 */
export function readCall<Input>(
  { type, content }: ReceivedBody,
  headers: Headers,
  fn: BodyReader<Input>,
  caller: Caller | undefined,
): ReceivedCall<Input> {
  if (fn.fromDer !== undefined && type === 'der') {
    const der = typeof content === 'string' ? utf8(content) : content;
    if (der.length === 0) refuse('mandatoryElementMissing', 'the body is empty');
    const identifier = headers['x-function-call-identifier'];
    return {
      functionCallIdentifier:
        identifier === undefined
          ? undefined
          : functionCallIdentifier(identifier, 'X-Function-Call-Identifier'),
      input: fn.fromDer(der),
    };
  }
  const { header, ...members } = openObject(parseJson(decodeUtf8(content)), '');
  const checked = header === undefined && caller === undefined ? undefined : readHeader(header);
  if (caller !== undefined && checked?.functionRequesterIdentifier !== caller.identifier) {
    refuse('requesterNotAllowed', 'functionRequesterIdentifier is not the party of the client certificate');
  }
  return { functionCallIdentifier: checked?.functionCallIdentifier, input: fn.body(members, '') };
}

function readHeader(header: unknown): RequestHeader {
  if (header === undefined) refuse('mandatoryElementMissing', 'header is missing');
  return requestHeader(header, 'header');
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(body: Bytes | string): string {
  if (typeof body === 'string') return body;
  try {
    return strictUtf8.decode(body);
  } catch {
    return refuse('protocolFormat', 'the body is not UTF-8');
  }
}
