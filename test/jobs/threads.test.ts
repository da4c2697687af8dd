import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const THREADS = new URL('../../shared/jobs/threads.ts', import.meta.url);

/** Of a thread's heap, in MiB. */
const THREAD = `import { getHeapStatistics } from 'node:v8';
console.log(getHeapStatistics().heap_size_limit / 2 ** 20);`;

it("a thread has the limits that it is started with, whatever the first thread's heap was started with", () => {
  const limits = { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 64 };
  const url = JSON.stringify(`data:text/javascript,${encodeURIComponent(THREAD)}`);
  const program = `import { startThread } from '${THREADS}';
    startThread(new URL(${url}), { resourceLimits: ${JSON.stringify(limits)} });`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, NODE_OPTIONS: '--max-semi-space-size=64' },
    encoding: 'utf8',
  });
  expect(Number(stdout)).toBe(12 + 64);
});
