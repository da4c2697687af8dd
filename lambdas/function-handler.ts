import middy, { type MiddyfiedHandler } from '@middy/core';
import { Fault, invariant } from '../shared/errors.ts';
import type { FunctionBinding } from '../shared/gsma/function-binding.ts';
import { writeAnswer } from '../shared/gsma/http-answer.ts';
import { prefersDer } from '../shared/gsma/media-type.ts';
import type { FunctionPath, PartyFunctionPath } from '../shared/gsma/permissions.ts';
import { readCall } from '../shared/gsma/received-call.ts';
import type { Caller } from '../shared/service/api/caller.ts';
import type { Services } from '../shared/service/api/services.ts';
import {
  type Call,
  type CallContext,
  defaultOptions,
  type Event,
  type FunctionHandler,
  type HandlerFactory,
  type HandlerOptions,
  type Result,
  requestOf,
  resultOf,
} from './call.ts';
import { checkHttp, checkProtocol } from './middleware/check-request.ts';
import { identifyCaller } from './middleware/identify-caller.ts';
import { recordCall } from './middleware/record-call.ts';

/** A handler answers this long before its time is up, so that a slow call ends in a typed answer and can be repeated. */
const TIME_TO_ANSWER_MS = 500;

/** The handler of a function that only registered parties of the right role may call. */
export function partyFunction<Input>(path: PartyFunctionPath, fn: FunctionBinding<Input>): HandlerFactory {
  return (services, options) =>
    functionHandler(path, fn, services, options, (chain) =>
      chain
        .use(identifyCaller(services.parties, path))
        .use(checkProtocol(path))
        .handler((_event: Event, { call }: CallContext) => {
          invariant(call.caller !== undefined, 'a party function was called without a party');
          return callFunction(fn, services, call, call.caller);
        }),
    );
}

/** The handler of a function for devices in the field: no party, server TLS only. */
export function fieldFunction<Input>(
  path: Exclude<FunctionPath, PartyFunctionPath>,
  fn: FunctionBinding<Input, undefined>,
): HandlerFactory {
  return (services, options) =>
    functionHandler(path, fn, services, options, (chain) =>
      chain
        .use(checkProtocol(path))
        .handler((_event: Event, { call }: CallContext) => callFunction(fn, services, call, undefined)),
    );
}

type Chain = MiddyfiedHandler<Event, Result, Error, CallContext>;

/** What all functions share, around what `complete` adds. */
function functionHandler(
  path: FunctionPath,
  fn: Pick<FunctionBinding, 'body' | 'fromDer'>,
  { calls }: Pick<Services, 'calls'>,
  options: Partial<HandlerOptions> | undefined,
  complete: (chain: Chain) => Chain,
): FunctionHandler {
  const all = { ...defaultOptions, ...options };
  const handler = complete(
    middy<Event, Result, Error, CallContext>({
      timeoutEarlyInMillis: TIME_TO_ANSWER_MS,
      timeoutEarlyResponse: () => {
        throw new Fault('dispatcher', 'the call took longer than its time', { retryable: true });
      },
    })
      .use(recordCall(path, all, calls))
      .use(checkHttp(fn)),
  );
  return (event, context) =>
    handler(event, {
      awsRequestId: context.awsRequestId,
      getRemainingTimeInMillis: () => context.getRemainingTimeInMillis(),
      call: { startedAt: all.now(), request: requestOf(event), subject: {}, warning: false },
    });
}

async function callFunction<Input, Who extends Caller | undefined>(
  fn: FunctionBinding<Input, Who>,
  services: Services,
  call: Call,
  caller: Who,
): Promise<Result> {
  const { functionCallIdentifier, input } = readCall(call.request, fn, caller);
  if (functionCallIdentifier !== undefined) call.functionCallIdentifier = functionCallIdentifier;
  call.subject = fn.subject?.(input) ?? {};
  const answer = await fn.call(services, caller, input);
  call.subject = { ...call.subject, ...answer?.subject };
  call.warning = answer?.warning ?? false;
  invariant(call.adminProtocol !== undefined, 'a function was called without a protocol check');
  return resultOf(writeAnswer(answer, call.adminProtocol, prefersDer(call.request.headers.accept)));
}
