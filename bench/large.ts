import { createWriteStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DeploymentFolder } from '../cli/deployment/folder.ts';
import { openSandbox } from '../cli/deployment/sandbox.ts';
import { eidWithCheckDigits } from '../shared/codec/eid.ts';
import { SimEum } from '../sim/index.ts';
import { MAKER, ORDER, REQUEST_ID } from './job/names.ts';
import { ingest, order, WAIT } from './memory/intake.ts';
import { releaseCommand } from './memory/release-command.ts';
import { Stand } from './memory/stand.ts';

/**
 * One request of very many items to `smdpf serve` by `smdpf request send`: a few are of eUICCs that are known
 * and get a profile, all others of eUICCs that nobody has registered, which are refused item by item.
 *
 *   npm run bench:large [-- --items 400000] [--known 1000] [--kill]
 *
 * Prints when the call was answered, when the request was planned and when the job was done, and how long `smdpf pull` then takes for its
 * answer, page by page; and the most resident memory of server and clients, as a release has them. With `--kill` server and client
 * die of SIGKILL while it is planned and once half of it is done, and others go on.
 */
const { values: options } = parseArgs({
  options: {
    items: { type: 'string', default: '400000' },
    known: { type: 'string', default: '1000' },
    kill: { type: 'boolean', default: false },
  },
});
const [items, known] = [Number(options.items), Number(options.known)];
const scratch = mkdtempSync(join(tmpdir(), 'smdpf-bench-large-'));
try {
  await measure(join(scratch, 'served'), await releaseCommand());
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measure(folder: string, smdpf: string): Promise<void> {
  const deployment = await DeploymentFolder.open(folder);
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  await runtime.close();
  const stand = await Stand.open(folder, smdpf);
  const { eids } = await ingest(stand, new SimEum({ ca: eumCa, ci: ci.certificate }), known);
  await order(stand, known);
  const file = join(folder, 'eids.txt');
  await pipeline(linesOf(eids), createWriteStream(file));
  const request = ['--order', ORDER, '--eids', file, '--request-id', REQUEST_ID.toString('hex')];

  const begun = performance.now();
  const since = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  const processes = { servers: [await stand.server()], clients: [] as ReturnType<Stand['client']>[] };
  const goOn = () =>
    processes.clients.push(stand.client('deviceMaker', 'request', 'send', ...request, ...WAIT));
  const killAll = async () => {
    for (const one of [processes.servers.at(-1)!, processes.clients.at(-1)!]) await one.ended('SIGKILL');
    processes.servers.push(await stand.server());
    goOn();
  };
  goOn();
  const job = async () => (await stand.runtime.services.inventory.listJobs({ limit: 1 })).jobs[0];
  const until = async (what: string, isSo: (now: Awaited<ReturnType<typeof job>>) => boolean) => {
    while (!isSo(await job()) && processes.clients.at(-1)!.child.exitCode === null) await delay(20);
    console.log(`${what}: ${since()}`);
  };
  await until('sent, taken on and answered', (now) => now !== undefined);
  if (options.kill) await killAll();
  await until('read and planned', (now) => (now?.items ?? 0) > 0 && (now?.chunks ?? 0) > 0);
  await until(
    'half done',
    (now) => now !== undefined && (now.bound + now.refused) * 2 >= Math.max(1, now.items),
  );
  if (options.kill) await killAll();
  const code = await processes.clients.at(-1)!.ended();
  const done = await job();
  console.log(`done: ${since()}; smdpf request send ended with ${code}`);
  console.log(JSON.stringify({ party: MAKER, ...done }));
  const out = join(scratch, 'pulled');
  const puller = stand.client('deviceMaker', 'pull', '--request', REQUEST_ID.toString('hex'), '--out', out);
  const isPulled = (await puller.ended()) === 0;
  console.log(`pulled: ${since()}, in ${readdirSync(out).length} files`);
  await processes.servers.at(-1)!.ended('SIGTERM');
  for (const [name, some] of Object.entries({ ...processes, puller: [puller] }))
    console.log(
      `most resident memory, ${name}: ${some.map(({ most }) => (most / 1e6).toFixed(0)).join(', ')} MB`,
    );
  await stand.close();
  const isComplete = code === 0 && isPulled && done?.bound === known && done.bound + done.refused === items;
  console.log(isComplete ? 'PASS' : 'FAIL');
  if (!isComplete) process.exitCode = 1;
}

/** The known ones first, and as many more as nobody knows. */
async function* linesOf(eids: readonly string[]): AsyncGenerator<string> {
  for (let first = 0; first < items; first += 1_000) {
    const lines: string[] = [];
    for (let i = first; i < Math.min(items, first + 1_000); i++)
      lines.push(eids[i] ?? eidWithCheckDigits(`890490329999${String(i).padStart(18, '0')}`));
    yield `${lines.join('\n')}\n`;
  }
}
