import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jobIdOf, transactionId } from '../../shared/service/records/transaction-id.ts';
import { encodeProfileLoadingReport } from '../../sim/index.ts';
import { MAKER, ORDER, REQUEST_ID } from '../job/names.ts';
import { share, WAIT } from './intake.ts';
import type { Peak, Stand } from './stand.ts';
import { mostOf } from './watched.ts';

const REQUEST = REQUEST_ID.toString('hex');

/** A job by `smdpf request send`, which waits for it. */
export async function job(stand: Stand, eids: readonly string[]): Promise<Peak> {
  const file = join(stand.folder, 'eids.txt');
  writeFileSync(file, eids.join('\n'));
  const names = ['--order', ORDER, '--eids', file, '--request-id', REQUEST];
  return await stand.killedInTheMiddle(
    'job',
    () => stand.client('deviceMaker', 'request', 'send', ...names, ...WAIT),
    async () => {
      const { jobs } = await stand.runtime.services.inventory.listJobs({ limit: 1 });
      return share(jobs[0], ({ bound, refused, items }) => (bound + refused) / Math.max(1, items));
    },
  );
}

/** The answer by `smdpf pull`, which dies once half of it is there; another one goes on. */
export async function pull(stand: Stand, items: number): Promise<Peak> {
  const out = join(stand.folder, 'pulled');
  const server = await stand.server();
  const run = () => stand.client('deviceMaker', 'pull', '--request', REQUEST, '--out', out);
  const first = run();
  const there = () => (existsSync(out) ? readdirSync(out).length : 0);
  const half = items / stand.runtime.context.settings.chunkSize / 2;
  while (there() < half && first.child.exitCode === null) await delay(20);
  await first.ended('SIGKILL');
  const second = run();
  const complete = (await second.ended()) === 0;
  await server.ended('SIGTERM');
  return { work: 'pull', server: server.most, client: mostOf([first, second]), complete };
}

/**
 * A report by `smdpf report send`. It has the factory's own account of every item, since nobody kept the private keys of so
 * many eUICCs: it is read, sliced and written down as one with results is, and what the eUICC would have signed is missing
 * from each item.
 */
export async function report(stand: Stand, eids: readonly string[]): Promise<Peak> {
  const { inventory } = stand.runtime.services;
  const jobId = jobIdOf(stand.runtime.context.settings.deployment, MAKER, REQUEST);
  const file = join(stand.folder, 'report.der');
  const at = new Date();
  const items = eids.map((eid, index) => ({
    fpaError: {
      transactionId: Buffer.from(transactionId(jobId, index), 'hex'),
      eid,
      cause: 'notAttempted' as const,
      at,
    },
  }));
  writeFileSync(file, encodeProfileLoadingReport({ reportId: Buffer.from('0b0b0c0d', 'hex'), items }));
  return await stand.killedInTheMiddle(
    'report',
    () => stand.client('deviceMaker', 'report', 'send', file, ...WAIT),
    async () => {
      const { reports } = await inventory.listReports({ limit: 1 });
      return share(
        reports[0],
        ({ verified, noted, rejected }) => (verified + noted + rejected) / eids.length,
      );
    },
  );
}
