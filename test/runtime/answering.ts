/**
 * A server process that answers requests one after the other, and writes a line to standard error before each and after
 * it: between the two stands all that it did to its files.
 */
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { openRuntime } from '../../shared/runtime.ts';
import { parseRuntimeConfig } from '../../shared/runtime-config.ts';
import { DEVICE_MAKER } from '../support/deployment.ts';

const [, , configFile, requestsFile] = process.argv as [string, string, string, string];
const runtime = await openRuntime(parseRuntimeConfig(await readFile(configFile, 'utf8'), configFile), {
  lanes: 'none',
});
const requests = JSON.parse(await readFile(requestsFile, 'utf8')) as string[];
for (const [i, request] of requests.entries()) {
  writeSync(2, `asked ${i}\n`);
  const { state } = await runtime.services.delivery.requestBpp(DEVICE_MAKER, Buffer.from(request, 'base64'));
  writeSync(2, `answered ${i} ${state}\n`);
}
await runtime.close();
