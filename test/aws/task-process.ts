import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TaskInput } from '../../shared/jobs/step-functions.ts';
import { awsClientConfig } from '../support/aws.ts';

const RUNNING_TASK = fileURLToPath(new URL('./running-task.ts', import.meta.url));

/** What an execution environment has in its environment. */
export function environment(): Record<string, string> {
  const { endpoint, region, credentials } = awsClientConfig as typeof awsClientConfig & { endpoint: string };
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    POWERTOOLS_TRACE_ENABLED: 'false',
  };
}

/** Runs a task in a process, which is killed so many milliseconds after the task began. */
export async function runTask(
  config: string,
  event: TaskInput,
  killAfterMs?: number,
): Promise<{ ended: boolean }> {
  const child = spawn(process.execPath, [RUNNING_TASK, JSON.stringify([event])], {
    env: { ...process.env, ...environment(), SMDPF_RUNTIME: config },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let ended = false;
  const closed = new Promise((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.startsWith('end ')) ended = true;
    if (!line.startsWith('begin ') || killAfterMs === undefined) continue;
    await sleep(killAfterMs);
    child.kill('SIGKILL');
  }
  await closed;
  return { ended };
}

/** Runs a task that is killed, a little further on its way each time, until it ends before its time is over; how often it was killed. */
export async function killedUntilDone(config: string, event: TaskInput): Promise<number> {
  let deaths = 0;
  for (
    let waitMs = Math.random() * 200;
    !(await runTask(config, event, waitMs)).ended;
    waitMs += 80 + Math.random() * 120
  )
    deaths += 1;
  return deaths;
}
