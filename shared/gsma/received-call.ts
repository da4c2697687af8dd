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
  /**
   * Octets as received, or their text where the front has decoded UTF-8 already. Undefined where it has counted more
   * than MAX_BODY of them and reads no further.
   */
  readonly body: Bytes | string | undefined;
  /** What TLS has proved possession of the key of, in DER or PEM; undefined where it asked for none or got none. */
  readonly clientCertificate: Bytes | string | undefined;
}

export interface ReceivedCall<Input> {
  readonly functionCallIdentifier: string | undefined;
  readonly input: Input;
}

/** How a function reads its body. */
type BodyReader<Input> = Pick<PartyFunction<FunctionName, Input>, 'body' | 'fromDer'>;

/** A body of a kind and size that the function takes; nothing in it is checked yet. */
export interface ReceivedBody {
  readonly type: 'json' | 'der';
  readonly content: Bytes | string;
}

/** What HTTP asks of a request before anybody is asked who sent it: 405, 413, 415. */
export function receiveBody(
  { method, headers, body }: HttpRequest,
  { fromDer }: BodyReader<unknown>,
): ReceivedBody {
  if (method !== 'POST') {
    throw new TransportRefusal(405, 'functionUnsupported', 'functions are called by POST');
  }
  if (body === undefined || sizeOf(body) > MAX_BODY) {
    throw new TransportRefusal(413, 'tooLarge', `a body has at most ${MAX_BODY} octets; use openTransfer`);
  }
  return { type: bodyType(headers, fromDer !== undefined), content: body };
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
