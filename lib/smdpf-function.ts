import { Duration, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  type Alias,
  Architecture,
  Code,
  type IFunction,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CONFIG_VARIABLE } from '../lambdas/runtime.ts';
import { functionAt } from '../shared/gsma/functions/index.ts';
import { sideOf } from '../shared/gsma/interface-function.ts';
import { NO_PORT } from '../shared/no-port.ts';
import { present } from '../shared/present.ts';
import type { RuntimeConfig } from '../shared/runtime-config.ts';
import { acknowledge } from './acknowledge.ts';
import { type OperatorConfig, reservedConcurrency } from './config.ts';
import { isInterfaceFunction } from './entry.ts';
import { LAMBDAS, type LambdaName, resourceName } from './functions.ts';
import { provisionedOf } from './provisioned.ts';

export interface SmdpfFunctionProps {
  readonly config: OperatorConfig;
  readonly name: LambdaName;
  /** Folder of the bundle. */
  readonly bundle: string;
  readonly logKey: IKey;
}

function sizesOf({ sizes }: OperatorConfig): Pick<RuntimeConfig, 'chunkSize' | 'packSize' | 'inlineReport'> {
  if (sizes === undefined) return {};
  const { chunk, pack, report } = sizes;
  return { chunkSize: chunk, packSize: pack, ...present({ inlineReport: report }) };
}

/** Powertools (lambdas/telemetry.ts). What could capture content is off in the code too; an emulator takes no traces. */
function telemetryOf({ name, target }: OperatorConfig): Record<string, string> {
  return {
    POWERTOOLS_SERVICE_NAME: name,
    POWERTOOLS_METRICS_NAMESPACE: 'smdpf',
    POWERTOOLS_LOG_LEVEL: 'INFO',
    POWERTOOLS_LOGGER_LOG_EVENT: 'false',
    POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
    POWERTOOLS_TRACER_CAPTURE_ERROR: 'false',
    POWERTOOLS_TRACER_CAPTURE_HTTPS_REQUESTS: 'false',
    POWERTOOLS_TRACE_ENABLED: String(target === 'aws'),
  };
}

/** Long work shares the quota of KMS and leaves room for calls; the field, which nobody authenticates, leaves it too. */
export function concurrencyOf(name: LambdaName, config: OperatorConfig): number | undefined {
  const reserved = reservedConcurrency(config);
  if (name === 'jobs.runTask') return reserved?.tasks;
  return isInterfaceFunction(name) && sideOf(functionAt(name)) === 'field' ? reserved?.field : undefined;
}

/** How a function's RuntimeConfig changes by a grant. */
export type Configure = (config: RuntimeConfig) => RuntimeConfig;

/**
 * One Lambda: a role and a log group of its own, and a RuntimeConfig in which every port is `none:` until a grant
 * gives permission and configuration together.
 */
export class SmdpfFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  /** As Lambda knows it. */
  readonly name: string;
  readonly logGroup: LogGroup;
  #runtime: RuntimeConfig;
  #alias: Alias | undefined;
  /** Environments that are kept ready. */
  readonly #provisioned: number | undefined;

  constructor(scope: Construct, id: string, { config, name, bundle, logKey }: SmdpfFunctionProps) {
    super(scope, id);
    const { memoryMb, timeoutS } = LAMBDAS[name];
    const functionName = `${config.name}-${resourceName(name)}`;
    this.name = functionName;
    this.#provisioned = provisionedOf(config).get(name);
    this.#runtime = {
      deployment: config.deployment,
      address: config.domains.field.name,
      ledger: NO_PORT,
      vault: NO_PORT,
      ppks: NO_PORT,
      keys: { wrapping: NO_PORT, delivery: NO_PORT },
      dispatcher: NO_PORT,
      notifier: NO_PORT,
      ...sizesOf(config),
      ...present({ rateLimit: config.quotas.callsOfParty }),
    };
    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/smdpf/${functionName}`,
      retention: config.retention.logDays as RetentionDays,
      encryptionKey: logKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `SM-DPf ${config.name}: ${name}`,
    });
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: `SM-DPf ${config.name}: ${name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundle),
      handler: 'index.handler',
      role: this.role,
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutS),
      ...present({ reservedConcurrentExecutions: concurrencyOf(name, config) }),
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      environment: {
        NODE_ENV: 'production',
        NODE_OPTIONS: '--enable-source-maps',
        ...telemetryOf(config),
        [CONFIG_VARIABLE]: Lazy.string({ produce: () => Stack.of(this).toJsonString(this.#runtime) }),
      },
    });
    acknowledge(this.role, 'IAM5', 'X-Ray knows no resources', 'Resource::*');
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [this.logGroup.logGroupArn]);
  }

  /** Whether it has environments that are kept ready, which only versions have. */
  get isProvisioned(): boolean {
    return this.#provisioned !== undefined;
  }

  /** Calls go to a version by this alias from now on, so that a deployment can shift them: `live`. */
  giveAlias(): Alias {
    this.#alias ??= this.function.addAlias(
      'live',
      present({ provisionedConcurrentExecutions: this.#provisioned }),
    );
    return this.#alias;
  }

  /** What the API calls. By its ARN, since the CDK's alias does not fit its interface where optional members are exact. */
  get callee(): IFunction {
    if (this.#alias === undefined) return this.function;
    const { functionArn } = this.#alias;
    return LambdaFunction.fromFunctionAttributes(this, 'Callee', { functionArn, sameEnvironment: true });
  }

  /** Permission and configuration, together. */
  grant(statements: readonly PolicyStatement[], configure: Configure = (config) => config): void {
    for (const statement of statements) this.role.addToPolicy(statement);
    this.#runtime = configure(this.#runtime);
  }

  allow(actions: readonly string[], resources: readonly string[]): void {
    this.grant([allowing(actions, resources)]);
  }
}

export function allowing(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Record<string, Record<string, unknown>>,
): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: [...actions],
    resources: [...resources],
    ...present({ conditions }),
  });
}
