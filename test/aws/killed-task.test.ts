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
import { awsSkipReason, createStores } from '../support/aws.ts';
import { Deployment } from '../support/deployment.ts';
import { environment, killedUntilDone, runTask } from './task-process.ts';

const ITEMS = 60;
const CHUNK = 20;
const CHUNKS = [0, 1, 2];

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
      const taskOf = (task: number) => ({ kind: 'job', id: request.jobId('test'), task }) as const;
      const run = (task: number) => runTask(config, taskOf(task));

      let deaths = 0;
      for (const task of CHUNKS) {
        deaths += await killedUntilDone(config, taskOf(task));
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
  }, 300_000);
});
