import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NO_PORT } from '../../shared/no-port.ts';
import {
  auditLines,
  positionsOf,
  ppksLeft,
  prepare,
  Request,
  registered,
  triplesOf,
} from '../service/scenario.ts';
import { awsClientConfig, awsSkipReason, createStores } from '../support/aws.ts';
import { Deployment } from '../support/deployment.ts';

const ITEMS = 60;
const CHUNK = 20;
const CHUNKS = [0, 1, 2];
const RUNNING_TASK = fileURLToPath(new URL('./running-task.ts', import.meta.url));

describe.skipIf(awsSkipReason !== '')(`the task Lambda on DynamoDB and S3${awsSkipReason}`, () => {
  it('killed in the middle of a chunk, and given it twice at once, leaves the same final state (I1–I4)', async () => {
    const names = await createStores();
    Object.assign(process.env, environment());
    const deployment = await Deployment.create({
      lanes: 'none',
      config: {
        ledger: `dynamodb:${names.ledger}`,
        vault: `s3://${names.bucket}`,
        ppks: `dynamodb:${names.ppks}`,
        chunkSize: CHUNK,
        inlineOrder: ITEMS,
      },
    });
    try {
      const { runtime } = deployment;
      await prepare(deployment, 'ORD', ITEMS);
      const euiccs = await registered(deployment, ITEMS, { keys: 2 });
      const request = new Request(
        'ORD',
        euiccs.map(({ eid }) => ({ eid })),
      );
      expect(await request.send(runtime)).toMatchObject({ state: 'Pending', processed: 0 });
      const config = JSON.stringify({ ...deployment.config, dispatcher: NO_PORT });
      const run = (task: number, killAfterMs?: number) =>
        runTask(config, { kind: 'job', id: request.jobId('test'), task }, killAfterMs);

      let deaths = 0;
      for (const task of CHUNKS) {
        // a little further on its way each time, until it ends before its time is over
        for (
          let waitMs = Math.random() * 200;
          !(await run(task, waitMs)).ended;
          waitMs += 80 + Math.random() * 120
        )
          deaths += 1;
        const twice = await Promise.all([run(task), run(task)]);
        expect(twice).toEqual([{ ended: true }, { ended: true }]);
      }
      expect(deaths).toBeGreaterThanOrEqual(CHUNKS.length);

      const answer = await request.fetch(runtime);
      expect(answer).toMatchObject({ state: 'Done', processed: ITEMS, failed: [] });
      const triples = triplesOf(answer).map((triple) => triple.split(' '));
      for (const member of [0, 1, 2]) expect(new Set(triples.map((one) => one[member])).size).toBe(ITEMS);
      expect((await positionsOf(runtime, 'ORD')).bound).toHaveLength(ITEMS);
      expect(await ppksLeft(runtime, 'ORD')).toEqual([]);
      expect(await auditLines(runtime, 'chunk.committed', {})).toBe(CHUNKS.length);

      // years later: the same answer, nothing spent
      for (const task of CHUNKS) expect(await run(task)).toEqual({ ended: true });
      expect(await request.send(runtime)).toEqual(answer);
    } finally {
      await deployment.close();
    }
  }, 240_000);
});

/** What an execution environment has in its environment. */
function environment(): Record<string, string> {
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
async function runTask(config: string, event: object, killAfterMs?: number): Promise<{ ended: boolean }> {
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
