import { Fault } from '../errors.ts';
import type { Caller } from '../service/api/caller.ts';
import type { Services } from '../service/api/services.ts';
import { checkAdminProtocol } from './admin-protocol.ts';
import { type HttpAnswer, writeAnswer, writeFailure } from './http-answer.ts';
import { identifyCaller, rememberedCaller } from './identify-caller.ts';
import type { FunctionAnswer, InterfaceFunction } from './interface-function.ts';
import { prefersDer } from './media-type.ts';
import { allowFunction } from './permissions.ts';
import { checkRequest, type HttpRequest, readCall, receiveBody } from './received-call.ts';
import { type Call, type CallOptions, recordCall, recordFailure } from './record-call.ts';

/**
 * Answers a request to one function within `timeMs` milliseconds, the reading of its body not counted; never rejects. API Gateway with Lambda and the
 * embedded server are adapters in front of it.
 */
export type HttpFunction = (request: HttpRequest, timeMs: number) => Promise<HttpAnswer>;

/** A call is answered this long before its time is up, so that a slow one ends in a typed answer and can be repeated. */
const TIME_TO_ANSWER_MS = 500;

/** Who sent a request; refuses who is nobody. */
export type Identify = (request: HttpRequest) => Promise<Caller>;

/**
 * A function over HTTP: what it asks of a request, in order, and what becomes of its answer or error. `identify` is the
 * client certificate and the party register, unless an adapter has people log in otherwise.
 */
export function httpFunction(
  fn: InterfaceFunction,
  services: Services,
  options: CallOptions,
  identify?: Identify,
): HttpFunction {
  return async (request, timeMs) => {
    const call: Call = { function: fn.path, startedAt: options.now(), subject: {}, warning: false };
    try {
      const time = new CallTime(timeMs - TIME_TO_ANSWER_MS);
      const answer = await perform({ fn, services, identify }, request, call, time);
      recordCall(call, answer.httpStatus, services.calls, options);
      return answer;
    } catch (error) {
      const failure = await recordFailure(call, error, services.calls, options);
      return writeFailure(failure, call.adminProtocol);
    }
  };
}

interface Served {
  readonly fn: InterfaceFunction;
  readonly services: Services;
  readonly identify: Identify | undefined;
}

/**
 * The checks of HTTP come before anybody is asked who sent the request, the body after, so that nobody who is not known
 * and within its rate makes the server hold octets (I13), and the protocol last.
 */
async function perform(
  { fn, services, identify }: Served,
  request: HttpRequest,
  call: Call,
  time: CallTime,
): Promise<HttpAnswer> {
  const type = checkRequest(request, fn);
  const { serve, confirmed } = await time.within(serviceFor({ fn, services, identify }, request, call));
  try {
    const body = await receiveBody(request, fn, type, call.caller);
    const adminProtocol = checkAdminProtocol(request.headers['x-admin-protocol'], fn.path);
    call.adminProtocol = adminProtocol;
    const { functionCallIdentifier, input } = readCall(body, request.headers, fn, call.caller);
    if (functionCallIdentifier !== undefined) call.functionCallIdentifier = functionCallIdentifier;
    call.subject = fn.subject?.(input) ?? {};
    const answer = await time.within(serve(input));
    call.subject = { ...call.subject, ...answer?.subject };
    call.warning = answer?.warning ?? false;
    return writeAnswer(answer, adminProtocol, prefersDer(request.headers.accept));
  } finally {
    // whatever came of the call: who is no party learns that, and nothing else
    await time.within(confirmed);
  }
}

/** What a function does, and the register's word on the caller where that is not there yet. */
interface Service {
  readonly serve: (input: unknown) => Promise<FunctionAnswer | undefined>;
  readonly confirmed: Promise<unknown>;
}

const CONFIRMED = Promise.resolve();

/** What the function does for who sent the request: a party of its role, or anyone where it asks for none. */
async function serviceFor(
  { fn, services, identify }: Served,
  request: HttpRequest,
  call: Call,
): Promise<Service> {
  if (fn.role === 'anyone')
    return {
      async serve(input) {
        await fn.call(services, input);
        return undefined;
      },
      confirmed: CONFIRMED,
    };
  const mayReadAhead = identify === undefined && fn.readsAhead === true && request.bodyIsHere === true;
  const remembered = mayReadAhead ? rememberedCaller(services.parties, request) : undefined;
  const { caller, confirmed } = remembered ?? {
    caller: await (identify?.(request) ?? identifyCaller(services.parties, request)),
    confirmed: CONFIRMED,
  };
  // it is waited for at the end at the latest
  confirmed.catch(() => undefined);
  call.caller = caller;
  allowFunction(caller, fn);
  return { serve: (input) => fn.call(services, caller, input, confirmed), confirmed };
}

/** What a call may take of its time, over all that it waits for. */
class CallTime {
  #leftMs: number;

  constructor(timeMs: number) {
    this.#leftMs = timeMs;
  }

  /** What comes too late is thrown away, and a Fault that says to try again in its place. */
  async within<T>(work: Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Fault('dispatcher', 'the call took longer than its time', { retryable: true })),
      this.#leftMs,
    );
    const startedAt = performance.now();
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      this.#leftMs -= performance.now() - startedAt;
    }
  }
}
