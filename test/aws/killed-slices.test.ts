import { describe, expect, it } from 'vitest';
import { scanAll } from '../../shared/ledger/scan.ts';
import { NO_PORT } from '../../shared/no-port.ts';
import { loadIngest, rejectedEntries } from '../../shared/service/esed1/euicc-batches.ts';
import { jobRecord, requestSlice } from '../../shared/service/records/job.ts';
import { ledgerKeys, partitions } from '../../shared/service/records/keys.ts';
import { openWorkOf } from '../../shared/service/records/work.ts';
import { prepare, Request } from '../service/scenario.ts';
import { awsSkipReason, createStores } from '../support/aws.ts';
import { DEVICE_MAKER, Deployment } from '../support/deployment.ts';
import { scattered } from '../support/large-batch.ts';
import { uploadedRequest } from '../support/uploads.ts';
import { environment, killedUntilDone, runTask } from './task-process.ts';

const EUICCS = 24;
/** Entries that are none behind each other: 1,224 entries, in three slices. */
const SCRAPS = 50;

describe.skipIf(awsSkipReason !== '')(`the task Lambda on DynamoDB and S3${awsSkipReason}`, () => {
  it('killed again and again in a large request with eUICC data goes on where it was (I4)', async () => {
    const names = await createStores();
    Object.assign(process.env, environment());
    const deployment = await Deployment.create({
      lanes: 'none',
      config: {
        ledger: `dynamodb:${names.ledger}`,
        vault: `s3://${names.bucket}`,
        ppks: `dynamodb:${names.ppks}`,
        chunkSize: 3,
        requestSlice: 6,
        inlineOrder: EUICCS,
        // whatever is larger is an upload that is too large for a call
        inlineLimit: 60,
      },
    });
    try {
      const { runtime } = deployment;
      const { ledger } = runtime.context;
      await prepare(deployment, 'ORD', EUICCS);
      const euiccs = [...deployment.eum.production(EUICCS)];
      const euiccData = scattered(deployment.eum.euiccDataBatch(euiccs), SCRAPS);
      const items = euiccs.map(({ eid }) => ({ eid }));
      const request = new Request('ORD', items, { euiccData });
      const jobId = request.jobId('test');
      const upload = await uploadedRequest(runtime, request.der);
      expect(await runtime.services.delivery.requestBpp(DEVICE_MAKER, upload)).toMatchObject({
        state: 'Pending',
        items: 0,
      });

      const config = JSON.stringify({ ...deployment.config, dispatcher: NO_PORT });
      const kinds: string[] = [];
      let deaths = 0;
      for (;;) {
        const open = (await scanAll(ledger, partitions.openWork)).map(openWorkOf);
        const [work] = open.filter(({ kind }) => kind !== 'job');
        if (work === undefined) break;
        const { kind, id, tasks } = work;
        kinds.push(kind);
        for (let task = 0; task < tasks; task++) {
          deaths += await killedUntilDone(config, { kind, id, task });
          const again = { kind, id, task };
          await Promise.all([runTask(config, again), runTask(config, again)]);
        }
        expect(await runtime.work.finish(kind, id)).toBe(true);
      }
      // its data is read once, verified by itself, and then it is planned on
      expect(kinds).toEqual(['request', 'euiccData', 'request']);
      expect(deaths).toBeGreaterThanOrEqual(5);

      const { done } = await loadIngest(ledger, jobId);
      expect(done).toMatchObject({ accepted: EUICCS, rejected: EUICCS * SCRAPS });
      const rejected: number[] = [];
      for await (const { index } of rejectedEntries(ledger, jobId)) rejected.push(index);
      const scraps = Array.from({ length: EUICCS * (SCRAPS + 1) }, (_, i) => i).filter(
        (i) => i % (SCRAPS + 1) > 0,
      );
      expect(rejected).toEqual(scraps);
      const job = jobRecord.from((await ledger.get(ledgerKeys.job(jobId)))!);
      expect(job).toMatchObject({ items: EUICCS, slices: { chunks: 8, ofSlice: 2 } });
      const keys = [0, 1, 2, 3].map((slice) => ledgerKeys.requestSlice(jobId, slice));
      const slices = (await ledger.getMany(keys)).map((item) => requestSlice.from(item!));
      expect(slices.map(({ runs }) => runs)).toEqual([0, 6, 12, 18].map((first) => [[first, first, 6]]));

      for (let chunk = 0; chunk < 8; chunk++) await runtime.work.runTask('job', jobId, chunk);
      expect(await runtime.work.finish('job', jobId)).toBe(true);
      expect(await request.fetch(runtime)).toMatchObject({ state: 'Done', processed: EUICCS, failed: [] });
    } finally {
      await deployment.close();
    }
  }, 300_000);
});
