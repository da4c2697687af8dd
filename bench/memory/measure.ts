import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { openSandbox } from '../../cli/deployment/sandbox.ts';
import { SimEum } from '../../sim/index.ts';
import { job, pull, report } from './delivery.ts';
import { ingest, order } from './intake.ts';
import { type Peak, Stand, type Work } from './stand.ts';

/*
 * Works of one size, one after the other on one deployment: `measure.ts FOLDER SIZE SMDPF WORKS [MADE]`. Prints a line of JSON for
 * each. MADE is a folder of deployments that have their eUICCs and their order, by size: taken from there, or left there.
 */

const [folder, count, smdpf, names, made] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string | undefined,
];
const items = Number(count);
const works = names.split(',') as Work[];
/** The EIDs, in order: what a deployment has besides when it comes from, or goes to, `made`. */
const EIDS = 'eids.json';

const kept = made === undefined ? undefined : join(made, String(items));
const isMade = kept !== undefined && existsSync(join(kept, EIDS)) && !asked('ingest', 'order');
const eids = isMade ? takeMade(kept) : await makeIntake();
if (asked('job', 'pull', 'report')) {
  const stand = await Stand.open(folder, smdpf);
  tell(await job(stand, eids));
  if (asked('pull', 'report')) tell(await pull(stand, items));
  if (asked('report')) tell(await report(stand, eids));
  await stand.close();
}

function takeMade(from: string): readonly string[] {
  cpSync(from, folder, { recursive: true });
  return JSON.parse(readFileSync(join(folder, EIDS), 'utf8')) as string[];
}

async function makeIntake(): Promise<readonly string[]> {
  const deployment = await DeploymentFolder.open(folder);
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  await runtime.close();
  const stand = await Stand.open(folder, smdpf);
  const { peak, eids } = await ingest(stand, new SimEum({ ca: eumCa, ci: ci.certificate }), items);
  tell(peak);
  tell(await order(stand, items));
  await stand.close();
  if (kept !== undefined) {
    writeFileSync(join(folder, EIDS), JSON.stringify(eids));
    cpSync(folder, kept, { recursive: true });
  }
  return eids;
}

function asked(...some: readonly Work[]): boolean {
  return some.some((work) => works.includes(work));
}

function tell(peak: Peak): void {
  if (asked(peak.work)) console.log(JSON.stringify(peak));
}
