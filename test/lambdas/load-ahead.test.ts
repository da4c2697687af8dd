import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadAhead } from '../../lambdas/load-ahead.ts';
import { functionAt } from '../../shared/gsma/functions/index.ts';
import { ModelFactory } from '../support/aws-model/factory.ts';

let factory: ModelFactory;
let sent: string[] = [];
beforeAll(async () => {
  const watched = async (store: string, command: string) => void sent.push(`${store} ${command}`);
  factory = await ModelFactory.open({ sent: watched }, 2);
});
afterAll(() => factory?.close());

const requestBpp = functionAt('esbpp.requestBpp');

it('what a first call waits for is loaded before it: trust, and a connection to each store', async () => {
  const used = async () => undefined;
  const [cold, loaded] = await Promise.all([factory.environment(used), factory.environment(used)]);
  sent = [];
  await loadAhead(requestBpp, async () => loaded.runtime);
  const before = sent;
  expect(new Set(before.map((call) => call.split(' ')[0]))).toEqual(new Set(['ledger', 'ppks', 'vault']));

  const callsOf = async (environment: typeof cold) => {
    sent = [];
    expect(await environment.call(randomBytes(8))).toBe('Executed-Success Done []');
    return sent.length;
  };
  const first = await callsOf(loaded);
  expect(first).toBeLessThan(await callsOf(cold));
});

it('a function that nobody waits for with a device opens its stores alone', async () => {
  const environment = await factory.environment(async () => undefined);
  sent = [];
  await loadAhead(functionAt('es9plus.handleNotification'), async () => environment.runtime);
  expect(sent).toEqual([]);
});

it('what cannot be loaded is left to the first call', async () => {
  await expect(
    loadAhead(requestBpp, () => Promise.reject(new Error('out of reach'))),
  ).resolves.toBeUndefined();
});
