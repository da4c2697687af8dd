import { randomBytes, randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Fault, SmdpfError } from './errors.ts';
import { messageOf } from './events/error-record.ts';
import type { Log } from './events/log-events.ts';
import { PROTOCOL_VERSION } from './ifpp-draft1/version.ts';
import type { Dispatcher } from './jobs/dispatcher.ts';
import type { Lane } from './jobs/task-queue.ts';
import { keyBackends } from './keys/backends.ts';
import type { Slowed } from './keys/provider.ts';
import { KeyRegistry, type KeyUse } from './keys/registry.ts';
import { GuardedLedger } from './ledger/guarded.ts';
import type { Ledger } from './ledger/ledger.ts';
import { openLedger } from './ledger/open.ts';
import { originOf } from './net/destinations.ts';
import { NO_PORT, noPort } from './no-port.ts';
import type { Notifier } from './notify/notifier.ts';
import { present } from './present.ts';
import type { RuntimeConfig } from './runtime-config.ts';
import { dataKeyLimits, settingsOf, transfersOf } from './runtime-settings.ts';
import type { Services } from './service/api/services.ts';
import { AuditLog } from './service/audit/log.ts';
import type { CallbackContext } from './service/callbacks/callback-context.ts';
import { CallbackService } from './service/callbacks/callbacks.ts';
import type { Context } from './service/context.ts';
import { DataKeys } from './service/custody/data-keys.ts';
import { KeyAssignments } from './service/custody/key-assignments.ts';
import { KeyRing } from './service/custody/key-ring.ts';
import { DualControl } from './service/dual-control/dual-control.ts';
import { EligibilityService } from './service/es2f/eligibility-check.ts';
import { OrderService } from './service/es2f/orders.ts';
import { DeletionStatementService } from './service/esbpp/deletion-statement.ts';
import { DeliveryService } from './service/esbpp/delivery.ts';
import { closeLane } from './service/esbpp/just-in-time/lane-closing.ts';
import { Requests } from './service/esbpp/requests.ts';
import { TransferService } from './service/esbpp/transfers.ts';
import { IngestService } from './service/esed1/ingest.ts';
import { Evidence } from './service/evidence/evidence.ts';
import type { OfProcess } from './service/inventory/inventory.ts';
import { KeyInventory } from './service/keys/key-inventory.ts';
import { KEY_USE_MS, KeyUseJournal } from './service/keys/key-use-journal.ts';
import { SlowedKeys } from './service/keys/slowed-keys.ts';
import { WrappingRotation } from './service/keys/wrapping-rotation.ts';
import { Reaper } from './service/life/reaper.ts';
import { CallJournal } from './service/parties/call-journal.ts';
import { PartyService } from './service/parties/parties.ts';
import { ReportService } from './service/reports/reports.ts';
import { requireIdentity, type StoreName } from './service/restore/identity.ts';
import { Standing } from './service/restore/standing.ts';
import { AdministrationService } from './service/trust/administration.ts';
import { Trust } from './service/trust/trust.ts';
import { TrustAdministration } from './service/trust/trust-administration.ts';
import { StoredForm } from './service/upgrade/stored-form.ts';
import { ServiceWork } from './service/work.ts';
import { servicesForPeople } from './services-for-people.ts';
import { openPpkVault, openVault } from './vault/open.ts';
import type { PpkVault, Vault } from './vault/vault.ts';

/** Everything that runs behind the handlers, from one configuration: the only place where adapters are chosen. */
export interface Runtime {
  readonly config: RuntimeConfig;
  readonly context: Context;
  /** Whether the ledger may be changed: one that was restored from a backup may not. */
  readonly standing: Standing;
  /** Which form is written, and which releases work on the deployment: docs/upgrades.md. */
  readonly storedForm: StoredForm;
  /** The same context over a ledger that lets itself be changed while it is frozen; for restoring. */
  readonly unguarded: Context;
  readonly services: Services & {
    readonly parties: PartyService;
    readonly callbacks: CallbackService;
    readonly calls: CallJournal;
  };
  readonly trust: Trust;
  readonly trustAdministration: TrustAdministration;
  readonly work: ServiceWork;
  readonly audit: AuditLog;
  readonly evidence: Evidence;
  readonly dualControl: DualControl;
  readonly keys: KeyRegistry;
  readonly keyUses: KeyUseJournal;
  readonly wrappingRotation: WrappingRotation;
  readonly keyInventory: KeyInventory;
  readonly reaper: Reaper;
  /** What the server around it has its inventory tell of itself. */
  readonly ofProcess: OfProcess;
  close(): Promise<void>;
}

export interface RuntimeOptions {
  /** Where long work runs: worker threads, this thread, or nowhere (inside a worker). */
  readonly lanes?: 'workers' | 'inline' | 'none';
  /** One line of the operator's log; identifiers and codes only. */
  readonly log?: Log;
  readonly onKeyUse?: (use: KeyUse) => void;
  /** Stores opened elsewhere, for tests that watch or break them. */
  readonly stores?: { readonly ledger?: Ledger; readonly vault?: Vault; readonly ppks?: PpkVault };
  /** Stores that may be missing, for commands that put them back or take them away. */
  readonly mayLack?: readonly StoreName[];
  /** Keys opened elsewhere, for tests with many processes: unlocking a softkey is slow on purpose. */
  readonly keys?: KeyRegistry;
  /** Who carries callbacks in place of what the configuration names, such as another thread. */
  readonly notifier?: Notifier;
  /** Who has long work done, in the same way. */
  readonly dispatcher?: Dispatcher;
  /** Milliseconds after which it is written down who called what, where others tell of it; a minute unless given. */
  readonly callsWrittenMs?: number;
  readonly now?: () => number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export async function openRuntime(config: RuntimeConfig, options: RuntimeOptions = {}): Promise<Runtime> {
  const { log = () => undefined, now = Date.now } = options;
  const stores = await openStores(config, options);
  const { standing, storedForm, guarded: ledger, vault, ppks } = stores;
  const custody = openCustody(config, ledger, options);
  const { keyRing, keyAssignments, dataKeys } = custody;
  const settings = settingsOf(config);
  const callbacks = { ledger, keyRing, keyAssignments, dataKeys, settings, now, random: randomBytes };
  const notifier = await openNotifier(config, callbacks, options);
  let work: ServiceWork | undefined;
  const dispatcher = await openDispatcher(config, { vault, notifier }, options, () => work!);
  const context: Context = { ...callbacks, vault, ppks, dispatcher, notifier, log };
  const trust = new Trust(context);
  const trustAdministration = new TrustAdministration(context, trust);
  work = new ServiceWork(context, trust);
  const audit = new AuditLog(ledger, vault, config.ppks === NO_PORT ? undefined : { ppks, now });
  const wrappingRotation = new WrappingRotation(context);
  const keyInventory = new KeyInventory(context, custody.keys, wrappingRotation);
  const ofProcess: Runtime['ofProcess'] = {};
  const parts = { trust, trustAdministration, audit, keyInventory, ofProcess };
  const services = openServices(config, context, { ...parts, rates: stores.ledger });
  const calls = writeCalls(services.calls, log, options.callsWrittenMs);
  ofProcess.writeCalls = calls.write;
  return {
    config,
    context,
    standing,
    storedForm,
    unguarded: {
      ...context,
      ledger: stores.ledger,
      keyAssignments: new KeyAssignments(stores.ledger, now, config.keys),
    },
    services,
    ...parts,
    work,
    evidence: new Evidence(context, config),
    // below the guard: a restore waits for two while its ledger is frozen
    dualControl: new DualControl(stores.ledger, now, config.deployment),
    keys: custody.keys,
    keyUses: custody.keyUses,
    wrappingRotation,
    reaper: new Reaper(context, closeLane),
    async close() {
      await dispatcher.close();
      await notifier.close();
      await calls.close();
      await custody.close();
      await Promise.all([ledger.close(), vault.close(), ppks.close(), custody.keys.close()]);
      storedForm.close();
    },
  };
}

/** The stores that the configuration names, and the guard that keeps a restored ledger from being changed. */
interface Stores {
  /** Below the guard. */
  readonly ledger: Ledger;
  readonly guarded: Ledger;
  readonly vault: Vault;
  readonly ppks: PpkVault;
  readonly standing: Standing;
  readonly storedForm: StoredForm;
}

async function openStores(
  config: RuntimeConfig,
  { stores = {}, mayLack, now = Date.now }: RuntimeOptions,
): Promise<Stores> {
  const ledger = stores.ledger ?? (await openLedger(config.ledger));
  const vault = stores.vault ?? (await openVault(config.vault, transfersOf(config)));
  const ppks = stores.ppks ?? (await openPpkVault(config.ppks));
  const storedForm = new StoredForm(ledger, now);
  try {
    // first of all: of what a newer release has stored, nothing else can be counted on
    await storedForm.requireKnown();
    await requireIdentity(
      {
        ledger,
        vault: config.vault === NO_PORT ? undefined : vault,
        ppks: config.ppks === NO_PORT ? undefined : ppks,
      },
      config,
      { mayLack, begin: () => storedForm.begin() },
    );
  } catch (error) {
    storedForm.close();
    await Promise.all([ledger.close(), vault.close(), ppks.close()]);
    throw error;
  }
  const standing = new Standing({ ledger, vault, ppks, now }, config);
  const requireLive = async () => {
    await standing.requireLive();
    await storedForm.requireKnownAtWork();
  };
  return { ledger, guarded: new GuardedLedger(ledger, requireLive), vault, ppks, standing, storedForm };
}

/** Keys, which of them have which role, the data keys under them, and the journal of their uses. */
interface Custody extends Pick<Context, 'keyRing' | 'keyAssignments' | 'dataKeys'> {
  readonly keys: KeyRegistry;
  readonly keyUses: KeyUseJournal;
  /** Writes down the last uses and wipes data keys; the keys themselves stay open. */
  close(): Promise<void>;
}

function openCustody(config: RuntimeConfig, ledger: Ledger, options: RuntimeOptions): Custody {
  const { log = () => undefined, now = Date.now, env = process.env, onKeyUse } = options;
  const slowedKeys = new SlowedKeys(log, ledger, now);
  const onSlowed = (slowed: Slowed) => slowedKeys.add(slowed);
  const keys = options.keys ?? openKeys(config, env, { onUse: onKeyUse, onSlowed });
  const keyRing = new KeyRing(keys);
  const keyAssignments = new KeyAssignments(ledger, now, config.keys);
  const dataKeys = new DataKeys(ledger, keyRing, keyAssignments, dataKeyLimits(config));
  const keyUses = new KeyUseJournal(keys, ledger, now, randomUUID);
  const writeKeyUses = () =>
    keyUses.round().catch((error: unknown) => log({ event: 'audit.delayed', message: messageOf(error) }));
  const journal = setInterval(writeKeyUses, KEY_USE_MS).unref();
  return {
    keys,
    keyRing,
    keyAssignments,
    dataKeys,
    keyUses,
    async close() {
      clearInterval(journal);
      await writeKeyUses();
      await slowedKeys.close();
      await dataKeys.close();
    },
  };
}

/** Writes down who called what, each minute and at the end; an environment that sleeps does it after its calls. */
function writeCalls(
  { counts }: CallJournal,
  log: Log,
  everyMs = KEY_USE_MS,
): { write(): Promise<void>; close(): Promise<void> } {
  const write = () =>
    counts.write().catch((error: unknown) => log({ event: 'audit.delayed', message: messageOf(error) }));
  const timer = setInterval(write, everyMs).unref();
  return {
    write,
    async close() {
      clearInterval(timer);
      await write();
    },
  };
}

/** What the handlers call. `rates` keeps how often each party calls, also while the ledger is frozen. */
function openServices(
  config: RuntimeConfig,
  context: Context,
  parts: Pick<Runtime, 'trust' | 'trustAdministration' | 'audit' | 'keyInventory' | 'ofProcess'> & {
    readonly rates: Ledger;
  },
): Runtime['services'] {
  const { trust, trustAdministration, audit } = parts;
  const ingest = new IngestService(context, trust);
  const delivery = new DeliveryService(context, trust, new Requests(context, ingest));
  const reports = new ReportService(context);
  const parties = new PartyService(context, config.rateLimit, parts.rates);
  return {
    parties,
    calls: new CallJournal(context),
    orders: new OrderService(context),
    eligibility: new EligibilityService(context, trust),
    ingest,
    delivery,
    reports,
    statements: new DeletionStatementService(context),
    administration: new AdministrationService(trustAdministration),
    callbacks: new CallbackService(context),
    audit,
    transfers: new TransferService(context, delivery, ingest, reports),
    ...servicesForPeople({ ...parts, context, parties }),
  };
}

/** Backends load when a URI first names them: nobody needs a cloud SDK or a PKCS#11 module that is not used. */
export function openKeys(
  { keys }: Pick<RuntimeConfig, 'keys'>,
  env: Readonly<Record<string, string | undefined>>,
  more: {
    readonly onUse?: ((use: KeyUse) => void) | undefined;
    readonly onSlowed?: (slowed: Slowed) => void;
  } = {},
): KeyRegistry {
  const backends = keyBackends({
    nodeEnv: env.NODE_ENV,
    env,
    ...present({
      folder: keys.folder,
      allowSoftwareKeysInProduction: keys.allowSoftwareKeysInProduction,
      softkeyPassphraseSource: keys.passphrase,
      pkcs11: keys.pkcs11,
    }),
    awskms: { ...keys.awskms, ...present({ onSlowed: more.onSlowed }) },
  });
  return new KeyRegistry(backends, more.onUse, more.onSlowed);
}

/**
 * `threads` is the embedded dispatcher, in worker threads or wherever `lanes` says; `stepfunctions:ARN` names a state
 * machine; `none:` takes nothing on. What is open stands in the ledger in any case.
 */
async function openDispatcher(
  config: RuntimeConfig,
  { vault, notifier }: Pick<Context, 'vault' | 'notifier'>,
  { lanes = 'inline', log = () => undefined, dispatcher: given }: RuntimeOptions,
  work: () => ServiceWork,
): Promise<Dispatcher> {
  if (given !== undefined) return given;
  const { dispatcher = 'threads' } = config;
  if (dispatcher === NO_PORT) return noPort('dispatcher');
  if (dispatcher.startsWith('stepfunctions:')) {
    const { StepFunctionsDispatcher } = await import('./jobs/step-functions.ts');
    return new StepFunctionsDispatcher(dispatcher.slice('stepfunctions:'.length), { vault });
  }
  if (dispatcher !== 'threads')
    throw new Fault('configuration', `${dispatcher} names no dispatcher: threads or stepfunctions:ARN`);
  const { TaskQueue } = await import('./jobs/task-queue.ts');
  const { WorkerLane } = await import('./jobs/worker-lane.ts');
  const here: Lane = {
    run: (kind, id, task) => work().runTask(kind, id, task),
    close: async () => undefined,
  };
  const threads = config.workers ?? availableParallelism();
  const chosen =
    lanes === 'none'
      ? []
      : lanes === 'workers' && threads > 0
        ? Array.from({ length: threads }, () => new WorkerLane(config, log, () => notifier.wake()))
        : [here];
  return new TaskQueue({
    lanes: chosen,
    finish: (kind, id) => work().finish(kind, id),
    onTrouble: ({ kind, id }, task, error, givenUp) =>
      log({
        event: givenUp ? 'task.givenUp' : 'task.failed',
        kind,
        id,
        task,
        code: error instanceof SmdpfError ? error.code : undefined,
        message: messageOf(error),
      }),
  });
}

/** `ledger` posts from this process; `sqs:URL` leaves that to whoever reads the queue; `none:` tells nobody. */
async function openNotifier(
  config: RuntimeConfig,
  context: CallbackContext,
  { log = () => undefined, notifier: given }: RuntimeOptions,
): Promise<Notifier> {
  if (given !== undefined) return given;
  const { notifier = 'ledger' } = config;
  if (notifier === NO_PORT) return { wake: () => undefined, flush: nothing, close: nothing };
  if (notifier.startsWith('sqs:')) {
    const { NoticeQueue, SqsNotifier } = await import('./notify/sqs.ts');
    return new SqsNotifier(new NoticeQueue(notifier.slice('sqs:'.length)));
  }
  if (notifier !== 'ledger')
    throw new Fault('configuration', `${notifier} names no notifier: ledger or sqs:URL`);
  const [{ LedgerNotifier }, { postCallbacks }, { CallbackCourier }] = await Promise.all([
    import('./notify/ledger-notifier.ts'),
    import('./notify/post.ts'),
    import('./service/callbacks/courier.ts'),
  ]);
  return new LedgerNotifier({
    ledger: context.ledger,
    now: context.now,
    courier: new CallbackCourier(
      context,
      postCallbacks(PROTOCOL_VERSION, context.settings.destinations),
      config.callbackCa,
    ),
    onDelayed: (id, attempts, reason) => log({ event: 'notice.delayed', id, attempts, reason }),
    onParked: (id, url, reason) => log({ event: 'notice.parked', id, url: originOf(url), reason }),
    onTrouble: (message) => log({ event: 'alarm.callback.unsent', message }),
  });
}

const nothing = async (): Promise<void> => undefined;
