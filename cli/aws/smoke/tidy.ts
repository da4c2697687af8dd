import type { Runtime } from '../../../shared/runtime.ts';
import type { Actor } from '../../../shared/service/api/actor.ts';
import {
  COMMIT_RECORDS,
  objectNames,
  parseCommitRecordName,
} from '../../../shared/service/records/object-names.ts';
import { jobIdOf } from '../../../shared/service/records/transaction-id.ts';
import type { Operator } from '../../../sim/index.ts';
import { IDENTIFIERS, type Made } from './world.ts';

/** What was taken back, and what could not be. */
export interface Tidied {
  readonly tidied: readonly string[];
  /** With the reason. */
  readonly failed: readonly string[];
}

/**
 * Takes back what a run made, wherever it ended, each by itself: the order is closed, which destroys the keys of its
 * profiles; then nothing under the run's CI is trusted any more, and nobody of it may call.
 */
export async function tidy(
  { trustAdministration, services }: Runtime,
  made: Made,
  by: Actor,
  operator: Operator | undefined,
): Promise<Tidied> {
  const tidied: string[] = [];
  const failed: string[] = [];
  const take = async (what: string, work: () => Promise<unknown>) => {
    await work().then(
      () => tidied.push(what),
      (error: unknown) => failed.push(`${what}: ${(error as Error).message}`),
    );
  };
  const { ci, eum, dpPb } = made;
  for (const order of made.orders)
    if (operator !== undefined)
      await take(`order ${order} is closed, its PPKs are destroyed`, () => closed(operator, order));
  if (dpPb !== undefined)
    await take(`binding certificate ${dpPb} is retired`, () => trustAdministration.retireDpPb(dpPb, by));
  if (eum !== undefined)
    await take(`EUM ${eum} is allowed no more`, () => trustAdministration.revokeEum(eum, by));
  if (ci !== undefined) await take(`CI ${ci} is trusted no more`, () => trustAdministration.removeCi(ci, by));
  for (const party of made.parties)
    await take(`client certificate ${party} is revoked`, () => services.parties.revoke(party, by));
  return { tidied, failed };
}

/** An order that is still being prepared is not closed, but cancelled. */
async function closed(operator: Operator, order: string): Promise<void> {
  const { state } = await operator.getOrderStatus(order, { limit: 1 });
  if (state === 'Preparing') await operator.cancelOrder(order, 'Unavailable');
  else await operator.closeOrder(order);
}

/** Something of the run that nobody can remove, or only with the deployment. */
export interface LeftBehind {
  readonly what: string;
  readonly why: string;
  /** Names of locked objects. */
  readonly objects?: readonly string[];
}

/**
 * What stays: locked records until their retention ends, and records of the ledger by which the server never binds twice
 * (I1, I2). `since`: milliseconds since 1970 of the beginning.
 */
export async function leftBehind(runtime: Runtime, made: Made, since: number): Promise<LeftBehind[]> {
  const jobs = made.requests.map((id) => jobIdOf(runtime.config.deployment, IDENTIFIERS.maker, id));
  const objects = await lockedObjects(runtime, made, jobs, since);
  const days = Number(new URL(runtime.config.vault).searchParams.get('lock-days') ?? 0);
  const until = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const all = [
    {
      what: `${objects.length} locked records in the vault`,
      why:
        days === 0
          ? 'written once; this stack locks nothing, and removing them would be taken for damage'
          : `nobody can remove them before ${until} (lockDays: ${days})`,
      objects,
    },
    {
      what: 'records in the ledger of orders, jobs, eUICCs and ICCIDs',
      why: 'they stay with the deployment, so that nothing is ever bound twice; their profiles can be used by no eUICC that exists',
    },
    {
      what: 'parties revoked, the binding certificate retired, lines of the audit log',
      why: 'the register and the log say who could do what, and when',
    },
    {
      what: 'uploads, requests, packs and parts in the vault',
      why: 'lifecycle rules end some; the others have no key any more, and go with the deployment (docs/lives.md)',
    },
  ];
  return made.ci === undefined ? [] : all;
}

async function lockedObjects(
  { context: { vault } }: Runtime,
  made: Made,
  jobs: readonly string[],
  since: number,
): Promise<string[]> {
  const found: string[] = [];
  // the newest come first
  for await (const name of vault.names(COMMIT_RECORDS)) {
    const { jobId, committedAt } = parseCommitRecordName(name);
    if (committedAt < since) break;
    if (jobs.includes(jobId)) found.push(name);
  }
  for (const job of jobs)
    for await (const name of vault.names(objectNames.manifest(job, ''))) found.push(name);
  const single = [
    ...made.orders.map(objectNames.orderRecord),
    ...jobs.map(objectNames.jobRecord),
    ...(made.crl === undefined ? [] : [objectNames.crl(made.crl)]),
  ];
  for (const name of single) if ((await vault.head(name)) !== undefined) found.push(name);
  return found;
}
