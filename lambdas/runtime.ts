import { Fault } from '../shared/errors.ts';
import { errorRecords } from '../shared/events/error-record.ts';
import type { Log } from '../shared/events/log-events.ts';
import { callFailure } from '../shared/gsma/failure.ts';
import { writeFailure } from '../shared/gsma/http-answer.ts';
import type { InterfaceFunction } from '../shared/gsma/interface-function.ts';
import { urlPaths } from '../shared/gsma/paths.ts';
import type { CallOptions } from '../shared/gsma/record-call.ts';
import type { Runtime } from '../shared/runtime.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../shared/runtime-config.ts';
import type { Services } from '../shared/service/api/services.ts';
import {
  defaultOptions,
  type Event,
  type FunctionHandler,
  functionHandler,
  resultOf,
} from './api-gateway.ts';

/** The environment variable that holds the RuntimeConfig as JSON. It names stores and keys and contains no secret. */
export const CONFIG_VARIABLE = 'SMDPF_RUNTIME';

/**
 * The entry point of a function on Lambda. The services are opened by the first call of an execution environment and
 * kept; where that fails the call is answered 1.2/4.2, or 1.2/5.1 where it may pass, and the next one tries again.
 *
 * With `options` of the caller's own the telemetry of Lambda is left out.
 */
export function lambdaEntry(
  fn: InterfaceFunction,
  openServices: () => Promise<Services> = async () => (await sharedRuntime()).services,
  options?: CallOptions,
): FunctionHandler {
  if (options !== undefined) return entryWith(fn, openServices, options);
  let entry: Promise<FunctionHandler> | undefined;
  return async (event, context) => {
    entry ??= import('./telemetry.ts').then(({ instrument, log }) => {
      const handler = entryWith(fn, openServices, { ...defaultOptions, log });
      return instrument((of: Event, by) => handler(of, by)) as FunctionHandler;
    });
    return (await entry)(event, context);
  };
}

/** The entry point of a Lambda that functions share; each is opened when it is first called. */
export function lambdaEntryOf(functions: readonly InterfaceFunction[]): FunctionHandler {
  const entries = new Map(
    functions.flatMap((fn) => {
      const entry = lambdaEntry(fn);
      return urlPaths(fn).map((url) => [url, entry] as const);
    }),
  );
  return async (event, context) => {
    const entry = entries.get(event.rawPath);
    if (entry === undefined) throw new Fault('configuration', 'no function of this Lambda has the path');
    return entry(event, context);
  };
}

function entryWith(
  fn: InterfaceFunction,
  openServices: () => Promise<Services>,
  options: CallOptions,
): FunctionHandler {
  let opened: Promise<FunctionHandler> | undefined;
  return async (event, context) => {
    opened ??= openServices().then((services) => functionHandler(fn, services, options));
    let handler: FunctionHandler;
    try {
      handler = await opened;
    } catch (error) {
      opened = undefined;
      const failure = callFailure(error, options.newIncident);
      const incident = failure.incident ?? '';
      options.log({ event: 'fault', incident, function: 'runtime', errors: errorRecords(error) });
      return resultOf(writeFailure(failure));
    }
    const result = await handler(event, context);
    await settle(options.log, 'call');
    return result;
  };
}

/**
 * What the runtime would do in its own time: an environment may sleep for ever once it has answered. The answer stands
 * whatever comes of it; uses of keys that could not be written are counted again the next time. After a call, for which
 * somebody waits, they are written once a minute, after a task each time.
 */
export async function settle(log: Log, after: 'call' | 'task'): Promise<void> {
  const opened = await runtime;
  if (opened === undefined) return;
  const { context, keyUses, services } = opened;
  await context.notifier.flush();
  const { counts } = services.calls;
  if (after === 'task' || counts.isDue) await counts.write().catch((error: unknown) => fault(log, error));
  await (after === 'call' ? keyUses.roundIfDue() : keyUses.round()).catch((error: unknown) =>
    fault(log, error),
  );
}

const fault = (log: Log, error: unknown) =>
  log({
    event: 'fault',
    incident: defaultOptions.newIncident(),
    function: 'audit',
    errors: errorRecords(error),
  });

let runtime: Promise<Runtime> | undefined;

/**
 * The runtime of this execution environment, opened once. Long work is handed to the dispatcher that the
 * configuration names, never taken on here: an environment sleeps as soon as it has answered.
 */
export function sharedRuntime(): Promise<Runtime> {
  runtime ??= openSharedRuntime().catch((error: unknown) => {
    runtime = undefined;
    throw error;
  });
  return runtime;
}

async function openSharedRuntime(): Promise<Runtime> {
  const config = readConfig();
  const [{ openRuntime }, { log }] = await Promise.all([
    import('../shared/runtime.ts'),
    import('./telemetry.ts'),
  ]);
  return await openRuntime(config, {
    lanes: 'none',
    log,
  });
}

/** What the stack has put into the environment of this function. */
export function readConfig(json = process.env[CONFIG_VARIABLE]): RuntimeConfig {
  if (json === undefined) throw new Fault('configuration', `${CONFIG_VARIABLE} is not set`);
  return parseRuntimeConfig(json, CONFIG_VARIABLE);
}
