import type { Health, Inventory } from '../api/ops.ts';
import type { Context } from '../context.ts';
import type { KeyInventory } from '../keys/key-inventory.ts';
import { jobIdOf } from '../records/transaction-id.ts';
import type { Trust } from '../trust/trust.ts';
import { listApprovals } from './approvals.ts';
import { exportAuditLines } from './audit-export.ts';
import { listAuditLines } from './audit-lines.ts';
import { listCallbacks } from './callbacks.ts';
import { findDevice } from './devices.ts';
import { type KnownCertificate, listExpiring } from './expiring.ts';
import { countFailures, listFailures } from './failures.ts';
import { type Checks, ownChecks, Probes } from './health.ts';
import { getReport, ingestsNamed, listIngests, listReports, reportsNamed } from './intake.ts';
import { getJob, listJobs, summariesOf } from './jobs.ts';
import { listKeysLeft } from './keys-left.ts';
import { getOrder, listOrders } from './orders.ts';
import { overviewOf } from './overview.ts';
import { listCalls, listParties } from './people.ts';
import { findProfile, listProfiles } from './profiles.ts';
import { listTrust } from './trust-list.ts';

/** What only a process of its own kind can tell: its disk, its TLS certificate. */
export interface OfProcess {
  /** Assigned by the server once it runs. */
  checks?: Checks;
  certificates?: readonly KnownCertificate[];
  /** Calls are counted in memory and written each minute: who asks sees those of this process up to now. */
  writeCalls?: () => Promise<void>;
}

/**
 * What an Operator's people see (`ops.*`): read from the ledger as the writes of all others have left it, in reads whose
 * number does not grow with what they tell of.
 */
export class InventoryService implements Inventory {
  readonly #context: Context;
  readonly #trust: Trust;
  readonly #keys: Pick<KeyInventory, 'list'>;
  readonly #ofProcess: OfProcess;
  readonly #probes = new Probes(() => performance.now());

  constructor(context: Context, trust: Trust, keys: Pick<KeyInventory, 'list'>, ofProcess: OfProcess) {
    this.#context = context;
    this.#trust = trust;
    this.#keys = keys;
    this.#ofProcess = ofProcess;
  }

  getHealth(): Promise<Health> {
    const own = ownChecks(this.#context, this.#trust, this.#keys);
    return this.#probes.look({ ...own, ...this.#ofProcess.checks });
  }

  getOverview: Inventory['getOverview'] = async () =>
    overviewOf(this.#context, this.#trust, this.#ofProcess.certificates ?? [], await this.getHealth());

  listApprovals: Inventory['listApprovals'] = () => listApprovals(this.#context);
  listOrders: Inventory['listOrders'] = (input) => listOrders(this.#context, input);
  getOrder: Inventory['getOrder'] = (input) => getOrder(this.#context, input);
  listProfiles: Inventory['listProfiles'] = (input) => listProfiles(this.#context, input);
  listJobs: Inventory['listJobs'] = (input) => listJobs(this.#context, input);
  getJob: Inventory['getJob'] = (input) => getJob(this.#context, input);
  listIngests: Inventory['listIngests'] = (input) => listIngests(this.#context, input);
  listReports: Inventory['listReports'] = (input) => listReports(this.#context, input);
  getReport: Inventory['getReport'] = (input) => getReport(this.#context, input);
  listParties: Inventory['listParties'] = () => listParties(this.#context);
  listCallbacks: Inventory['listCallbacks'] = (input) => listCallbacks(this.#context, input);
  findDevice: Inventory['findDevice'] = (input) => findDevice(this.#context, input);
  findProfile: Inventory['findProfile'] = (input) => findProfile(this.#context, input);
  listFailures: Inventory['listFailures'] = (input) => listFailures(this.#context, input);
  countFailures: Inventory['countFailures'] = (input) => countFailures(this.#context, input);
  listKeysLeft: Inventory['listKeysLeft'] = (input) => listKeysLeft(this.#context, input);
  listCalls: Inventory['listCalls'] = async (input) => {
    await this.#ofProcess.writeCalls?.();
    return await listCalls(this.#context, input);
  };
  listTrust: Inventory['listTrust'] = () => listTrust(this.#trust, this.#keys);
  listAuditLines: Inventory['listAuditLines'] = (input) => listAuditLines(this.#context, input);
  exportAuditLines: Inventory['exportAuditLines'] = (input) => exportAuditLines(this.#context, input);

  listExpiring: Inventory['listExpiring'] = ({ days }) =>
    listExpiring(this.#context, this.#trust, this.#ofProcess.certificates ?? [], days);

  /** Whoever has used the identifier: each registered party may have its own request under it. */
  findRequest: Inventory['findRequest'] = async ({ requestId: asked }) => {
    const requestId = asked.toLowerCase();
    const { parties } = await listParties(this.#context);
    const of = (role: 'deviceMaker' | 'eum') => [
      ...new Set(parties.filter((party) => party.role === role).map(({ identifier }) => identifier)),
    ];
    const { deployment } = this.#context.settings;
    const jobIds = of('deviceMaker').map((party) => jobIdOf(deployment, party, requestId));
    return {
      jobs: await summariesOf(this.#context, jobIds),
      ingests: await ingestsNamed(this.#context, of('eum'), requestId),
      reports: await reportsNamed(this.#context, of('deviceMaker'), requestId),
    };
  };
}
