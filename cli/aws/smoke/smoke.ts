import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import type { Actor } from '../../../shared/service/api/actor.ts';
import { DemoRecord, type Step } from '../../demo/steps.ts';
import type { DeployedStack } from '../stack-description.ts';
import type { ClientCertificates } from './front-door.ts';
import { type SmokeSizes, SmokeSteps } from './steps.ts';
import { type LeftBehind, leftBehind, type Tidied, tidy } from './tidy.ts';
import { nothingMade, openSmokeWorld, type SmokeWorld } from './world.ts';

/** Two packs and two chunks as the server cuts them by itself: small enough to cost cents. */
export const SIZES: SmokeSizes = { ordered: 300, job: 260, loaded: 5 };

export interface SmokeResult extends Tidied {
  readonly steps: readonly Step[];
  /** Why the flow ended before its end. */
  readonly broken?: Error;
  readonly leftBehind: readonly LeftBehind[];
  /** What this run could not try. */
  readonly untried: readonly string[];
}

export interface SmokeOptions {
  readonly stack: DeployedStack;
  readonly certificates: ClientCertificates;
  readonly by: Actor;
  readonly say: (text: string) => void;
  readonly sizes?: SmokeSizes;
}

/** The whole flow against a deployed stack, by counterparts and a CI that exist for this run alone; then all is taken back. */
export async function runSmoke({
  stack,
  certificates,
  by,
  say,
  sizes = SIZES,
}: SmokeOptions): Promise<SmokeResult> {
  const since = Date.now();
  const record = new DemoRecord(say);
  const made = nothingMade();
  const runtime = await openRuntime(stack.runtime, { lanes: 'none' });
  let world: SmokeWorld | undefined;
  let broken: Error | undefined;
  try {
    try {
      world = await openSmokeWorld({ stack, runtime, certificates, by, made });
      await flow(new SmokeSteps(world, record, sizes));
    } catch (error) {
      broken = error as Error;
    }
    const tidied = await tidy(runtime, made, by, world?.operator);
    for (const text of tidied.tidied) say(`[ tidy] ${text}`);
    await verifyAudit(runtime);
    return {
      steps: record.steps,
      ...(broken !== undefined && { broken }),
      ...tidied,
      leftBehind: await leftBehind(runtime, made, since),
      untried: [
        'callbacks: Lambdas reach no server on this machine',
        ...(world !== undefined && world.stranger === undefined
          ? ['a certificate that nobody registered: --pki has none']
          : []),
      ],
    };
  } finally {
    await runtime.close();
  }
}

async function flow(steps: SmokeSteps): Promise<void> {
  await steps.refuseStranger();
  const rows = await steps.order();
  const euiccs = await steps.registerEuiccs();
  const first = await steps.bindOne(euiccs[0]!);
  const job = await steps.bindJob(euiccs.slice(1));
  await steps.repeat(job);
  await steps.load(euiccs, [first, job.octets], rows);
}

async function verifyAudit({ audit }: Runtime): Promise<void> {
  await audit.chain();
  for await (const { problem } of audit.verify()) if (problem !== undefined) throw new Error(problem);
}
