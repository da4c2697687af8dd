import { afterAll, beforeAll, expect, it } from 'vitest';
import { Deployment, OPERATOR } from '../../support/deployment.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

it('calls are seen at once in the process that was called, though they are written each minute', async () => {
  const { calls, inventory } = deployment.runtime.services;
  const call = {
    function: 'es2f.getOrderStatus',
    party: OPERATOR.identifier,
    status: 'Executed-Success',
    subjectCode: undefined,
    reasonCode: undefined,
  } as const;
  const counted = async () =>
    (await inventory.listCalls({})).calls
      .filter(({ function: called }) => called === call.function)
      .reduce((sum, { count }) => sum + count, 0);
  for (let made = 1; made <= 3; made++) {
    calls.answered(call);
    expect(await counted()).toBe(made);
  }
  // asked for twice at once, nothing is counted twice and nothing is lost
  calls.answered(call);
  expect(await Promise.all([counted(), counted()])).toEqual([4, 4]);
});
