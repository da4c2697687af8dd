import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkerLane } from '../../shared/jobs/worker-lane.ts';
import { chunkProgresses } from '../../shared/service/esbpp/job-progress.ts';
import { boundOf, prepare, Request, registered } from '../service/scenario.ts';
import { Deployment } from '../support/deployment.ts';

let deployment: Deployment;
let lane: WorkerLane;
let request: Request;
let jobId: string;

/** A job of three chunks that no lane of the server takes up. */
beforeEach(async () => {
  deployment = await Deployment.create({ lanes: 'none', config: { chunkSize: 2 } });
  lane = new WorkerLane(deployment.config, () => undefined);
  await prepare(deployment, 'ORD-1', 6);
  const euiccs = await registered(deployment, 6);
  request = new Request(
    'ORD-1',
    euiccs.map(({ eid }) => ({ eid })),
  );
  jobId = request.jobId('test');
  expect(await request.send(deployment.runtime)).toMatchObject({ state: 'Pending', processed: 0 });
});

afterEach(async () => {
  await lane.close();
  await deployment.close();
});

describe('a lane in a worker thread', () => {
  it('binds chunks on the stores of the server; a task may run twice', async () => {
    for (const chunk of [2, 0, 1, 0]) await lane.run('job', jobId, chunk);
    expect(boundOf(await request.fetch(deployment.runtime))).toHaveLength(6);
  });

  it('tells of a task that fails, and runs the next one', async () => {
    await expect(lane.run('job', jobId, 9)).rejects.toMatchObject({ code: 'invariant', retryable: false });
    await lane.run('job', jobId, 0);
    expect(await chunkProgresses(deployment.runtime.context, jobId)).toHaveLength(1);
  });

  it('replaces a worker that died; its end disturbs no task of the next one', async () => {
    const vault = join(deployment.folder, 'vault');
    await rename(vault, `${vault}-away`);
    await writeFile(vault, 'a file where the vault should be');
    await expect(lane.run('job', jobId, 0)).rejects.toThrow();
    await rm(vault);
    await rename(`${vault}-away`, vault);
    await lane.run('job', jobId, 0);
    expect(await chunkProgresses(deployment.runtime.context, jobId)).toHaveLength(1);
  });

  it('has two chunks under way at once, and waits for both at its close', async () => {
    expect(lane.atOnce).toEqual({ job: 2 });
    const running = [0, 1].map((chunk) => lane.run('job', jobId, chunk));
    await lane.close();
    await Promise.all(running);
    const far = await chunkProgresses(deployment.runtime.context, jobId);
    expect(far.map(({ finished }) => finished)).toEqual([true, true]);
  });

  it('waits at its close for the task under way, and takes no other', async () => {
    const running = lane.run('job', jobId, 0);
    await lane.close();
    await running;
    expect(await chunkProgresses(deployment.runtime.context, jobId)).toMatchObject([{ finished: true }]);
    await expect(lane.run('job', jobId, 1)).rejects.toMatchObject({ code: 'dispatcher' });
  });
});
