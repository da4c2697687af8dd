import type { WorkKind, WorkRunner } from '../jobs/dispatcher.ts';
import { scan } from '../ledger/scan.ts';
import type { Context } from './context.ts';
import { closeSlice, finishClosing } from './es2f/order-closing.ts';
import { preparePack } from './es2f/order-packs.ts';
import { findOrderRows, finishOrder, finishRows } from './es2f/order-preparation.ts';
import { checkRowSlice, finishRowSlices } from './es2f/row-slices.ts';
import { bindChunk } from './esbpp/binding.ts';
import { finishJob } from './esbpp/job-progress.ts';
import { finishTree, makePage } from './esbpp/manifest-tree.ts';
import { finishRequest, planRequest } from './esbpp/request-plan.ts';
import { finishFrames, frameBatch } from './esed1/batch-frames.ts';
import { finishIngest, ingestSlice } from './esed1/euicc-batches.ts';
import { IngestService } from './esed1/ingest.ts';
import { jobRecord } from './records/job.ts';
import { ledgerKeys, partitions } from './records/keys.ts';
import { openWorkOf } from './records/work.ts';
import { finishReport, runReportSlice } from './reports/report-slices.ts';
import { recordJob } from './supply/draws.ts';
import type { Trust } from './trust/trust.ts';

/** What a dispatcher runs: plans of large requests, chunks of jobs, pages of their manifests, packs of orders, frames and slices of eUICC data, ends of orders. Each task stands by itself and may be repeated. */
export class ServiceWork implements WorkRunner {
  readonly #context: Context;
  readonly #trust: Trust;
  readonly #ingest: IngestService;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
    this.#ingest = new IngestService(context, trust);
  }

  async runTask(kind: WorkKind, id: string, task: number): Promise<void> {
    if (kind === 'request') await planRequest(this.#context, this.#ingest, id);
    else if (kind === 'order') await preparePack(this.#context, id, task);
    else if (kind === 'rows') await findOrderRows(this.#context, id);
    else if (kind === 'rowSlices') await checkRowSlice(this.#context, id, task);
    else if (kind === 'job') await bindChunk(this.#context, this.#trust, id, task);
    else if (kind === 'manifest') await makePage(this.#context, this.#trust, id, task);
    else if (kind === 'closing') await closeSlice(this.#context, id, task);
    else if (kind === 'frames') await frameBatch(this.#context, this.#trust, id);
    else if (kind === 'report') await runReportSlice(this.#context, id, task);
    else await ingestSlice(this.#context, this.#trust, id, task);
  }

  finish(kind: WorkKind, id: string): Promise<boolean> {
    if (kind === 'request') return finishRequest(this.#context, id);
    if (kind === 'order') return finishOrder(this.#context, id);
    if (kind === 'rows') return finishRows(this.#context, id);
    if (kind === 'rowSlices') return finishRowSlices(this.#context, id);
    if (kind === 'manifest') return finishTree(this.#context, this.#trust, id);
    if (kind === 'closing') return finishClosing(this.#context, id);
    if (kind === 'frames') return finishFrames(this.#context, id);
    if (kind === 'report') return finishReport(this.#context, id);
    return kind === 'job' ? finishJob(this.#context, id) : finishIngest(this.#context, id);
  }

  /** Takes up all work that was accepted and not completed, as after a crash. */
  async resume(): Promise<number> {
    const { ledger, dispatcher } = this.#context;
    let resumed = 0;
    for await (const item of scan(ledger, partitions.openWork)) {
      const work = openWorkOf(item);
      if (work.kind === 'job') {
        const job = await ledger.get(ledgerKeys.job(work.id));
        const record = job && jobRecord.from(job);
        if (record !== undefined && record.slices === undefined)
          await recordJob(this.#context, work.id, record);
      }
      await dispatcher.submit(work);
      resumed += 1;
    }
    return resumed;
  }
}
