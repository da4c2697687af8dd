import { afterEach, expect, it, vi } from 'vitest';
import { CONFIG_VARIABLE, lambdaEntry } from '../../lambdas/runtime.ts';
import { Fault } from '../../shared/errors.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { functionAt } from '../../shared/gsma/functions/index.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { callHandler, codesOf, jsonOf } from '../support/function-call.ts';
import { memoryServices } from '../support/memory-services.ts';

const fn = functionAt('es9plus.handleNotification');
const call = { body: { pendingNotification: 'vzcA' } };
const lines: LogRecord[] = [];
const options = { log: (line: LogRecord) => lines.push(line), now: () => 0, newIncident: () => 'I-1' };

afterEach(() => {
  lines.length = 0;
  vi.unstubAllEnvs();
});

it('a Lambda opens the services once for all calls of an environment', async () => {
  let opened = 0;
  const handler = lambdaEntry(
    fn,
    async () => {
      opened++;
      return memoryServices();
    },
    options,
  );
  const answers = await Promise.all(
    [1, 2, 3].map(() => callHandler(handler, 'es9plus.handleNotification', call)),
  );
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([204, 204, 204]);
  expect(opened).toBe(1);
});

it('a Lambda answers a failed start with 1.2 and an incident, and tries again on the next call', async () => {
  const outcomes: (() => Promise<Services>)[] = [
    () => Promise.reject(new Fault('ledger', 'INNER', { retryable: true })),
    async () => memoryServices(),
  ];
  const handler = lambdaEntry(fn, () => outcomes.shift()!(), options);
  const failed = await callHandler(handler, 'es9plus.handleNotification', call);
  expect(codesOf(jsonOf(failed))).toBe('1.2/5.1');
  expect(failed.body).not.toContain('INNER');
  expect(lines).toMatchObject([{ event: 'fault', function: 'runtime', incident: 'I-1' }]);
  expect((await callHandler(handler, 'es9plus.handleNotification', call)).statusCode).toBe(204);
});

it.each([undefined, '{"transferSecret":"SECRET"'])(
  'a Lambda tells of a missing or broken configuration and does not quote it',
  async (json) => {
    vi.stubEnv(CONFIG_VARIABLE, json);
    const handler = lambdaEntry(fn, undefined, options);
    expect(codesOf(jsonOf(await callHandler(handler, 'es9plus.handleNotification', call)))).toBe('1.2/4.2');
    expect(lines).toMatchObject([{ errors: [{ code: 'configuration' }] }]);
    expect(JSON.stringify(lines)).not.toContain('SECRET');
  },
);
