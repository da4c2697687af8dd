/** A server process that takes orders, makes their profiles and binds some of them, as the file given says. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRuntime } from '../../shared/runtime.ts';
import { parseRuntimeConfig } from '../../shared/runtime-config.ts';
import type { OrderInput } from '../../shared/service/api/es2f.ts';
import { TEMPLATE } from '../service/scenario.ts';
import { DEVICE_MAKER, OPERATOR } from '../support/deployment.ts';

export interface Plan {
  readonly orders: readonly (Omit<OrderInput, 'template' | 'rows'> & { readonly rows: string })[];
  /** DER, base64. */
  readonly requests: readonly string[];
}

const [, , configFile, planFile] = process.argv as [string, string, string, string];
const plan = JSON.parse(await readFile(planFile, 'utf8')) as Plan;
const runtime = await openRuntime(parseRuntimeConfig(await readFile(configFile, 'utf8'), configFile), {
  lanes: 'workers',
  log: ({ event, ...about }) => console.log(JSON.stringify({ event, ...about })),
});
for (const { rows, ...order } of plan.orders) {
  const input = { ...order, template: TEMPLATE, rows: Buffer.from(rows, 'base64') };
  const prepare = () => runtime.services.orders.prepareProfiles(OPERATOR, input);
  let answer = await prepare();
  for (; answer.state === 'Preparing'; answer = await prepare()) await sleep(50);
  if (answer.state !== 'Open') throw new Error(`order ${order.orderId} is ${answer.state}`);
}
for (const request of plan.requests)
  await runtime.services.delivery.requestBpp(DEVICE_MAKER, Buffer.from(request, 'base64'));
await runtime.close();
