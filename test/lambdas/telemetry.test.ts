import { resolve } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { backgroundEntry } from '../../lambdas/background.ts';
import { Fault } from '../../shared/errors.ts';
import { callHandler, handlerOf } from '../support/function-call.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { selfSigned } from '../support/self-signed.ts';

const SECRET = 'SECRET-7f3a';
const printed: string[] = [];

beforeEach(() => {
  // Powertools then prints by the console that can be watched
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'mobility');
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'smdpf');
  vi.stubEnv('POWERTOOLS_TRACE_ENABLED', 'false');
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, name).mockImplementation((...args: unknown[]) => void printed.push(args.join(' ')));
});
afterEach(() => {
  printed.length = 0;
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.resetModules();
});

const lines = () => printed.map((line) => JSON.parse(line) as Record<string, unknown>);
const context = { awsRequestId: 'R-1', functionName: 'f', getRemainingTimeInMillis: () => 20_000 } as never;

it('a call leaves its line with the identifiers of call and request, and its metrics, and nothing of what it carried', async () => {
  const { instrument, log } = await import('../../lambdas/telemetry.ts');
  const services = memoryServices();
  const certificate = selfSigned('party');
  const { fingerprint } = certificate;
  services.register.set(fingerprint, { identifier: IDENTIFIERS.operator, role: 'operator', fingerprint });
  const inner = handlerOf('es2f.getOrderOutput', services, { log });
  const handler = instrument((event: never, by) => inner(event, by)) as never;
  await callHandler(handler, 'es2f.getOrderOutput', {
    certificate,
    body: {
      header: { functionRequesterIdentifier: IDENTIFIERS.operator, functionCallIdentifier: 'C-1' },
      orderId: 'ORD-1',
      pack: 0,
      [SECRET]: SECRET,
    },
  });
  const call = lines().find(({ event }) => event === 'call');
  expect(call).toMatchObject({
    level: 'INFO',
    service: 'mobility',
    function: 'es2f.getOrderOutput',
    function_request_id: expect.any(String),
  });
  const metrics = lines().find(({ _aws }) => _aws !== undefined);
  expect(metrics).toMatchObject({ service: 'mobility', Calls: 1, CallsRefused: 1 });
  // CloudWatch bills every combination: the service is the only dimension
  expect(JSON.stringify(metrics?._aws)).toContain('"Dimensions":[["service"]]');
  expect(printed.join('\n')).not.toContain(SECRET);
});

it('a task that fails leaves line, fault and metric, without what the error said', async () => {
  const entry = backgroundEntry(
    'jobs.runTask',
    async (_event: { secret: string }) => {
      throw new TypeError(`about ${SECRET}`);
    },
    { about: () => ({ kind: 'job', id: 'J-1', task: 7 }) },
  );
  await expect(entry({ secret: SECRET }, context)).rejects.toBeInstanceOf(Error);
  const names = { function: 'jobs.runTask', kind: 'job', id: 'J-1', task: 7, function_request_id: 'R-1' };
  expect(lines()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...names, event: 'task', status: 'failed', level: 'INFO' }),
      expect.objectContaining({ ...names, event: 'fault', level: 'ERROR' }),
      expect.objectContaining({ Tasks: 1, TasksFailed: 1, Faults: 1 }),
    ]),
  );
  expect(printed.join('\n')).not.toContain(SECRET);
});

it('what a task throws names nothing but its incident', async () => {
  const entry = backgroundEntry('jobs.finish', async () => {
    throw new Fault('ledger', SECRET, { retryable: true });
  });
  await expect(entry({}, context)).rejects.toMatchObject({
    message: expect.stringMatching(/^incident [0-9a-f-]+$/),
    retryable: true,
  });
});

it('the embedded server loads nothing of the telemetry, nor of Lambda at all', async () => {
  const { metafile } = await build({
    entryPoints: [resolve('cli/server/server.ts')],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outdir: 'out',
    splitting: true,
  });
  const seen = new Set<string>();
  const walk = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const { path, kind } of metafile.inputs[name]?.imports ?? [])
      if (kind === 'import-statement') walk(path);
  };
  walk('cli/server/server.ts');
  expect(seen.has('shared/gsma/functions/index.ts')).toBe(true);
  expect([...seen].filter((name) => /^lambdas\/|powertools|middy|aws-/.test(name))).toEqual([]);
});
