import { type Bytes, utf8 } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { Caller } from '../service/api/caller.ts';
import { openObject } from './check.ts';
import type { FunctionBinding } from './function-binding.ts';
import { functionCallIdentifier, type RequestHeader, requestHeader } from './header.ts';
import { parseJson } from './json.ts';
import { MAX_BODY } from './limits.ts';
import { bodyType, type Headers } from './media-type.ts';
import { TransportRefusal } from './transport-refusal.ts';

/** An HTTP request, wherever it came in. */
export interface HttpRequest {
  readonly method: string;
  readonly headers: Headers;
  /** Octets as received, or their text where the front has decoded UTF-8 already. */
  readonly body: Bytes | string;
}

export interface ReceivedCall<Input> {
  readonly functionCallIdentifier: string | undefined;
  readonly input: Input;
}

type AnyBinding<Input> = Pick<FunctionBinding<Input>, 'body' | 'fromDer'>;

/** What HTTP asks of a request before anybody is asked who sent it: 405, 413, 415. */
export function checkTransport(request: HttpRequest, fn: AnyBinding<unknown>): 'json' | 'der' {
  if (request.method !== 'POST') {
    throw new TransportRefusal(405, 'functionUnsupported', 'functions are called by POST');
  }
  const octets = typeof request.body === 'string' ? Buffer.byteLength(request.body) : request.body.length;
  if (octets > MAX_BODY) throw bodyTooLarge();
  return bodyType(request.headers, fn.fromDer !== undefined);
}

export function bodyTooLarge(): TransportRefusal {
  return new TransportRefusal(413, 'tooLarge', `a body has at most ${MAX_BODY} octets; use openTransfer`);
}

/**
 * Reads the header and the input of a function. A party must name itself in the header as the register does: another
 * name there is a mix-up of certificates or of parties behind one proxy. On ES9+ (no party) the header is optional,
 * as LPAs send none. A DER body has no header; X-Function-Call-Identifier may take its place in the logs.
 */
export function readCall<Input>(
  request: HttpRequest,
  fn: AnyBinding<Input>,
  caller: Caller | undefined,
): ReceivedCall<Input> {
  if (fn.fromDer !== undefined && checkTransport(request, fn) === 'der') {
    const der = typeof request.body === 'string' ? utf8(request.body) : request.body;
    if (der.length === 0) refuse('mandatoryElementMissing', 'the body is empty');
    const identifier = request.headers['x-function-call-identifier'];
    return {
      functionCallIdentifier:
        identifier === undefined
          ? undefined
          : functionCallIdentifier(identifier, 'X-Function-Call-Identifier'),
      input: fn.fromDer(der),
    };
  }
  const { header, ...members } = openObject(parseJson(decodeUtf8(request.body)), '');
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
