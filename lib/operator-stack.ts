import { Annotations, CfnOutput, DefaultStackSynthesizer, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { DomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { functionAt, functionPaths } from '../shared/gsma/functions/index.ts';
import { type Side, sideOf } from '../shared/gsma/interface-function.ts';
import { present } from '../shared/present.ts';
import type { RuntimeConfig } from '../shared/runtime-config.ts';
import { Administrator } from './administrator.ts';
import { AdministratorKeys } from './administrator-keys.ts';
import { InterfaceApi } from './api.ts';
import { AuditAnchor } from './audit-anchor.ts';
import { MonthlyBudget } from './budget.ts';
import type { Bundles } from './bundle.ts';
import { Canary, giveAliases } from './canary.ts';
import { checkConfig } from './check-config.ts';
import { administratorRoles, type OperatorConfig, reservedConcurrency } from './config.ts';
import { ConsoleFront } from './console.ts';
import { describeStack } from './describe.ts';
import { DoctorPolicy } from './doctor-policy.ts';
import {
  type BackgroundName,
  CONSOLE_LAMBDA,
  type FunctionName,
  functionNames,
  LAMBDAS,
  type LambdaName,
  lambdaOf,
  resourceName,
} from './functions.ts';
import { Guard } from './guard.ts';
import { Jobs } from './jobs.ts';
import { Keys, keyUri, StorageKey } from './keys.ts';
import { Ledger } from './ledger.ts';
import { Notify } from './notify.ts';
import { Schedules } from './schedules.ts';
import { SmdpfFunction } from './smdpf-function.ts';
import { PpkVault, Vault } from './vault.ts';
import { Watch } from './watch.ts';

/** Days of retention that a try may cost. */
const TRIAL_DAYS = 31;

/** What functions have ports to, and what their grants are on. */
interface Ports {
  readonly storageKey: StorageKey;
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly ppks: PpkVault;
  readonly keys: Keys;
  readonly notify: Notify;
  readonly anchor?: AuditAnchor;
}

/** One Operator's SM-DPf. */
export class OperatorStack extends Stack {
  readonly functions: Readonly<Record<FunctionName, SmdpfFunction>>;
  readonly #config: OperatorConfig;

  constructor(scope: Construct, id: string, config: OperatorConfig, bundles: Bundles) {
    super(scope, id, propsOf(checkConfig(config)));
    for (const [key, value] of Object.entries(config.tags ?? {})) Tags.of(this).add(key, value);
    Tags.of(this).add('smdpf:operator', config.name);
    const boundary = config.account?.permissionsBoundaryArn;
    if (boundary !== undefined)
      PermissionsBoundary.of(this).apply(ManagedPolicy.fromManagedPolicyArn(this, 'Boundary', boundary));
    this.#config = config;
    const ports = this.#ports();
    const { storageKey, ledger, vault, notify } = ports;
    this.functions = this.#functions(bundles, storageKey);
    const { 'jobs.runTask': runTask, 'jobs.finish': finish } = this.functions;
    const jobs = new Jobs(this, 'Jobs', { config, vault, storageKey, runTask, finish });
    this.#grant(ports, jobs);
    notify.deliverBy(this.functions['notify.deliver'], config.callbackCa);
    this.#allowDestinations();
    new Schedules(this, 'Schedules', config, this.functions as Record<BackgroundName, SmdpfFunction>);
    if (config.canary !== undefined) giveAliases(this.functions);
    for (const fn of Object.values(this.functions)) if (fn.isProvisioned) fn.giveAlias();
    const apis = { parties: this.#api('parties', storageKey), field: this.#api('field', storageKey) };
    // API Gateway makes about one domain name in 30 s
    if (apis.parties.domain !== undefined) apis.field.domain?.node.addDependency(apis.parties.domain);
    const seen = { config, storageKey, functions: this.functions, apis, ledger, jobs, notify };
    const { topic, alarms, alarmNamed } = new Watch(this, 'Watch', seen);
    if (config.canary !== undefined) {
      const rolling = (['release-faults', 'api-failures', 'field-failures'] as const).map(alarmNamed);
      new Canary(this, 'Canary', config, this.functions, rolling);
    }
    if (config.budget !== undefined) new MonthlyBudget(this, 'Budget', config);
    new Guard(this, 'Guard', config, topic, storageKey);
    if (administratorRoles(config).length > 0) new Administrator(this, 'Administrator', config, ports);
    const administratorKeys = new AdministratorKeys(this, 'AdministratorKeys', config);
    const front = this.#console(bundles, ports, jobs);
    if (apis.field.domain !== undefined) front?.domain?.node.addDependency(apis.field.domain);
    this.#tell(ports, apis, jobs);
    const testAlarm = alarms[0]!;
    const { functions } = this;
    describeStack(this, { config, ...ports, administratorKeys, apis, topic, testAlarm, functions });
    if (config.target === 'aws')
      new DoctorPolicy(this, 'Doctor', config, { topic, administratorKeys, ...ports });
    this.#warn();
  }

  /** What can be deployed and yet be regretted. */
  #warn(): void {
    const { name, target, established, retention } = this.#config;
    if (target !== 'aws') return;
    const warnings = Annotations.of(this);
    if (established !== true)
      warnings.addWarningV2(
        'smdpf:established',
        `${name}: ledger and PPK vault are not protected from deletion; set established once the stack stands`,
      );
    if (established !== true && retention.lockDays > TRIAL_DAYS)
      warnings.addWarningV2(
        'smdpf:lockDays',
        `${name}: nobody, not even AWS, can remove what is locked for ${retention.lockDays} days; try with a day first`,
      );
    if (reservedConcurrency(this.#config) === undefined)
      warnings.addWarningV2(
        'smdpf:concurrency',
        `${name}: Lambda's quota is too small to keep tasks and the field from starving the parties; have it raised`,
      );
  }

  #ports(): Ports {
    const config = this.#config;
    const storageKey = new StorageKey(this, 'StorageKey', {
      config,
      services: ['dynamodb', 's3', 'sqs', 'sns'],
      alias: 'storage',
    });
    storageKey.allowLogs();
    storageKey.allowAlarms();
    const ppkKey = new StorageKey(this, 'PpkKey', { config, services: ['dynamodb'], alias: 'ppks' });
    return {
      storageKey,
      ledger: new Ledger(this, 'Ledger', config, storageKey),
      vault: new Vault(this, 'Vault', config, storageKey),
      ppks: new PpkVault(this, 'Ppks', config, ppkKey),
      keys: new Keys(this, 'Keys', config),
      notify: new Notify(this, 'Notify', storageKey),
      ...(config.auditAnchor !== undefined && {
        anchor: new AuditAnchor(this, 'AuditAnchor', config, config.auditAnchor),
      }),
    };
  }

  #function(name: LambdaName, bundles: Bundles, { key }: StorageKey): SmdpfFunction {
    const props = { config: this.#config, name, bundle: bundles[name], logKey: key };
    return new SmdpfFunction(this, resourceName(name), props);
  }

  #functions(bundles: Bundles, storageKey: StorageKey): typeof this.functions {
    const made = functionNames.map((name) => [name, this.#function(name, bundles, storageKey)]);
    return Object.fromEntries(made) as typeof this.functions;
  }

  /** The console, where the Operator wants one. */
  #console(bundles: Bundles, ports: Ports, jobs: Jobs): ConsoleFront | undefined {
    const { console: settings } = this.#config;
    if (settings === undefined) return undefined;
    const { storageKey } = ports;
    const serve = this.#function(CONSOLE_LAMBDA, bundles, storageKey);
    this.#grantOne(CONSOLE_LAMBDA, serve, ports, jobs);
    const front = new ConsoleFront(this, 'Console', { config: this.#config, settings, storageKey, serve });
    new CfnOutput(this, 'ConsoleApi', { value: front.api.apiId, description: 'HTTP API of the console' });
    if (front.domain !== undefined) this.#tellDomain('Console', settings.name, front.domain);
    return front;
  }

  /** To each function what it needs, and the ledger to all. */
  #grant(ports: Ports, jobs: Jobs): void {
    for (const name of functionNames) this.#grantOne(name, this.functions[name], ports, jobs);
    const { anchor, keys } = ports;
    const chain = this.functions['audit.chain'];
    anchor?.grantTo(chain, keys);
    const { timeSource } = this.#config;
    if (timeSource !== undefined) chain.grant([], (config) => ({ ...config, timeSource }));
  }

  #grantOne(
    name: LambdaName,
    fn: SmdpfFunction,
    { ledger, vault, ppks, keys, notify }: Ports,
    jobs: Jobs,
  ): void {
    const needs = LAMBDAS[name];
    ledger.grantTo(fn);
    if (needs.vault !== undefined) vault.grantTo(fn, needs.vault);
    if (needs.ppks !== undefined) ppks.grantTo(fn);
    // where it keeps no end outside, the log is moved on without a key
    keys.grantTo(fn, name, name === 'audit.chain' ? [] : (needs.keys ?? []));
    if (needs.dispatcher !== undefined) jobs.grantTo(fn);
    if (needs.notifier !== undefined) notify.grantTo(fn);
  }

  /** To who calls what others name, and to who takes such names in. */
  #allowDestinations(): void {
    const { internalDestinations } = this.#config;
    if (internalDestinations === undefined) return;
    for (const name of ['es2f.prepareProfiles', 'notify.deliver', 'trust.fetchCrls'] as const)
      this.functions[name].grant([], (config) => ({ ...config, internalDestinations }));
  }

  #api(side: Side, storageKey: StorageKey): InterfaceApi {
    const names = functionPaths.filter((path) => sideOf(functionAt(path)) === side);
    const functions = Object.fromEntries(names.map((name) => [name, this.functions[lambdaOf(name)]]));
    const props = { config: this.#config, storageKey, side, functions };
    return new InterfaceApi(this, side === 'parties' ? 'Parties' : 'Field', props);
  }

  /** `name` is that of the configuration: CloudFormation refuses a description with a reference. */
  #tellDomain(of: string, name: string, { regionalDomainName, regionalHostedZoneId }: DomainName): void {
    const output = (id: string, value: string, description: string) =>
      new CfnOutput(this, id, { value, description });
    output(`${of}DomainTarget`, regionalDomainName, `Target of the alias or CNAME of ${name}`);
    output(`${of}DomainZone`, regionalHostedZoneId, `Hosted zone of ${of}DomainTarget`);
  }

  /** Outputs of the stack: what its administrators and its watchers ask for. */
  #tell(
    { ledger, vault, ppks, keys, notify, anchor }: Ports,
    apis: Readonly<Record<Side, InterfaceApi>>,
    jobs: Jobs,
  ): void {
    const { deployment, domains } = this.#config;
    const administration: RuntimeConfig = {
      deployment,
      address: domains.field.name,
      ledger: ledger.uri,
      vault: vault.uri,
      ppks: ppks.uri,
      keys: {
        wrapping: keyUri(keys.wrapping),
        delivery: keyUri(keys.delivery),
        intake: keyUri(keys.intake),
        ...(keys.longTerm !== undefined && { longTerm: keyUri(keys.longTerm) }),
      },
      ...present({ auditAnchor: anchor?.uri, timeSource: this.#config.timeSource }),
    };
    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    const runtime = this.toJsonString(administration);
    output('Runtime', runtime, 'RuntimeConfig for who administers trust and parties');
    for (const [ci, key] of Object.entries(keys.binding))
      output(`BindingKey${ci.replaceAll('-', '')}`, keyUri(key), `Binding key for ${ci}`);
    for (const [name, key] of Object.entries(keys.further))
      output(`FurtherKey${name.replaceAll('-', '')}`, keyUri(key), `For smdpf keys rotate: ${name}`);
    for (const [side, { domain }] of Object.entries(apis)) {
      if (domain === undefined) continue;
      this.#tellDomain(side === 'parties' ? 'Parties' : 'Field', domains[side as Side].name, domain);
    }
    output('PartiesApi', apis.parties.api.apiId, 'HTTP API of ES2f, Esed1, Esbpp and Admin');
    output('FieldApi', apis.field.api.apiId, 'HTTP API of ES9+');
    output('StateMachine', jobs.stateMachine.stateMachineArn, 'Long work');
    output('NoticeQueue', notify.queue.queueUrl, 'Callbacks');
    output('DeadLetters', notify.deadLetters.queueUrl, 'Callbacks that were given up');
  }
}

function propsOf({ name, env, target, account }: OperatorConfig): StackProps {
  const props = {
    stackName: `smdpf-${name}`,
    description: `SM-DPf of ${name}`,
    terminationProtection: target === 'aws',
    ...present({ env }),
  };
  const qualifier = account?.bootstrapQualifier;
  // assigned, since the CDK's own class does not fit its interface where optional members are exact
  if (qualifier !== undefined)
    Object.assign(props, { synthesizer: new DefaultStackSynthesizer({ qualifier }) });
  return props;
}
