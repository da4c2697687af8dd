import { SmdpfError } from '../../errors.ts';
import { messageOf } from '../../events/error-record.ts';
import { asRead } from '../../ledger/change.ts';
import type { Health, HealthCheck } from '../api/ops.ts';
import { callbackHealth } from '../callbacks/health.ts';
import type { Context } from '../context.ts';
import { driftOf } from '../evidence/clock-watch.ts';
import type { KeyInventory } from '../keys/key-inventory.ts';
import { chainedLine, headOf } from '../records/audit.ts';
import { ledgerKeys } from '../records/keys.ts';
import { probeRecord } from '../records/probe.ts';
import type { Trust } from '../trust/trust.ts';

/** A check says what is ill, and nothing where all is well. */
export type Ask = () => Promise<string | undefined>;

/** What is asked, by name. A server may add what only it can ask: its disk, and whether its stores can be written. */
export type Checks = Readonly<Partial<Record<HealthCheck['name'], Ask>>>;

/** A check that takes longer has failed. */
const PATIENCE_MS = 5_000;
/** An answer stands for so long; that of keys longer, since key services bill each question. */
const LOOK_MS = 5_000;
const FRESH_MS: Readonly<Partial<Record<HealthCheck['name'], number>>> = { keys: 30_000 };
/** Clocks of several machines may differ by as much. */
const CLOCK_MS = 60_000;
const HOUR_MS = 60 * 60 * 1000;

/** What every deployment can ask. */
export function ownChecks(context: Context, trust: Trust, keys: Pick<KeyInventory, 'list'>): Checks {
  return {
    keys: () => illKeys(keys),
    ledger: () => illLedger(context),
    CRLs: () => illLists(trust),
    callbacks: () => illCallbacks(context),
    clock: () => illClock(context),
  };
}

type Name = HealthCheck['name'];

/** One look of a probe. */
interface Look {
  /** What is ill; never rejects, and waits no longer than a probe may take. */
  readonly answer: Promise<string | undefined>;
  /** When it came to its own end, which may be long after its answer; undefined before. */
  endedAt: number | undefined;
}

/**
 * Looks at what is asked, by name. Each probe runs once at a time, also where it hangs, and its answer stands for some
 * seconds: however often somebody asks, stores and keys are asked no more than that.
 */
export class Probes {
  readonly #now: () => number;
  readonly #looks = new Map<Name, Look>();

  /** `now` in milliseconds; of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  async look(checks: Checks): Promise<Health> {
    const asked = await Promise.all(
      (Object.entries(checks) as [Name, Ask][]).map(async ([name, ask]): Promise<HealthCheck> => {
        const problem = await this.#answerOf(name, ask);
        return problem === undefined ? { name, state: 'ok' } : { name, state: 'ill', problem };
      }),
    );
    return { ready: asked.every(({ state }) => state === 'ok'), checks: asked };
  }

  #answerOf(name: Name, ask: Ask): Promise<string | undefined> {
    const known = this.#looks.get(name);
    const fresh = known?.endedAt === undefined || this.#now() - known.endedAt < (FRESH_MS[name] ?? LOOK_MS);
    if (known !== undefined && fresh) return known.answer;
    const running = problemOf(ask);
    const look: Look = { answer: inTime(running), endedAt: undefined };
    void running.then(() => {
      look.endedAt = this.#now();
    });
    this.#looks.set(name, look);
    return look.answer;
  }
}

async function inTime(running: Promise<string | undefined>): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(`gave no answer in ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Never rejects: a check that fails says by that what is ill. */
async function problemOf(ask: Ask): Promise<string | undefined> {
  try {
    return await ask();
  } catch (error) {
    // the messages of others may name paths and hosts; the log has them
    if (error instanceof SmdpfError) return messageOf(error);
    return error instanceof Error && 'code' in error ? `failed: ${String(error.code)}` : 'failed';
  }
}

/** A ledger is well that can be written and gives back what was written; one that is frozen says so. */
async function illLedger({ ledger, now }: Context): Promise<string | undefined> {
  const item = await ledger.get(ledgerKeys.probe);
  const at = now();
  const { done } = await ledger.write({
    put: ledgerKeys.probe,
    attributes: probeRecord.to({ at }),
    when: asRead(item),
  });
  // another process was faster, which shows as much
  if (!done) return undefined;
  const written = await ledger.get(ledgerKeys.probe);
  return written === undefined ? 'what was written is not there' : undefined;
}

async function illKeys(keys: Pick<KeyInventory, 'list'>): Promise<string | undefined> {
  const ill = (await keys.list()).filter(
    ({ state, problem, certificate }) =>
      state === 'active' && (problem !== undefined || certificate?.expiry === 'expired'),
  );
  return ill.length === 0
    ? undefined
    : ill.map(({ role, problem }) => `${role}: ${problem ?? 'its certificate has ended'}`).join('; ');
}

async function illLists(trust: Trust): Promise<string | undefined> {
  const { crls, policy, problems } = await trust.list();
  const old = policy.expired === 'refuse' ? crls.filter(({ expired }) => expired) : [];
  const all = [...problems, ...old.map(({ issuer }) => `the list of ${issuer} has expired`)];
  return all.length === 0 ? undefined : all.join('; ');
}

async function illCallbacks(context: Context): Promise<string | undefined> {
  const { parked, oldest, more } = await callbackHealth(context);
  if (parked > 0) return `${parked}${more ? ' or more' : ''} were given up: \`smdpf callbacks\``;
  if (oldest !== undefined && context.now() - Date.parse(oldest) > HOUR_MS)
    return `the oldest waits since ${oldest}`;
  return undefined;
}

/** A clock that was set back is behind the last line of the audit log; one that was compared may differ from the other one. */
async function illClock(context: Context): Promise<string | undefined> {
  const { ledger, now } = context;
  const ahead = await driftOf(context);
  if (ahead !== undefined) return `it is ${ahead} ms ahead of the time source`;
  const end = headOf(await ledger.get(ledgerKeys.auditHead));
  const item = end && (await ledger.get(ledgerKeys.auditLine(end.sequence)));
  if (item === undefined) return undefined;
  const { at } = chainedLine.from(item);
  const behindMs = Date.parse(at) - now();
  return behindMs > CLOCK_MS ? `it is ${Math.round(behindMs / 1000)} s behind the audit log` : undefined;
}
