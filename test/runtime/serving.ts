/**
 * A server process that takes up what was left open, takes one request and tells on standard output how far it is:
 * `processed N` now and then, `done SHA-256` of the whole answer at the end.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRuntime } from '../../shared/runtime.ts';
import { parseRuntimeConfig } from '../../shared/runtime-config.ts';
import { DEVICE_MAKER } from '../support/deployment.ts';
import { answerHash } from './answer-hash.ts';

const [, , configFile, requestFile, requestId] = process.argv as [string, string, string, string, string];
const runtime = await openRuntime(parseRuntimeConfig(await readFile(configFile, 'utf8'), configFile), {
  lanes: 'workers',
});
await runtime.work.resume();
let answer = await runtime.services.delivery.requestBpp(DEVICE_MAKER, await readFile(requestFile));
while (answer.state === 'Pending') {
  process.stdout.write(`processed ${answer.processed}\n`);
  await sleep(10);
  answer = await runtime.services.delivery.getBppBatch(DEVICE_MAKER, { requestId });
}
process.stdout.write(`done ${await answerHash(runtime, answer)}\n`);
await runtime.close();
