import { ArnFormat, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge, objectsFinding } from './acknowledge.ts';
import type { OperatorConfig } from './config.ts';
import { jobDefinitionText } from './job-definition.ts';
import type { StorageKey } from './keys.ts';
import { VENDED_LOGS } from './log-names.ts';
import { allowing, type SmdpfFunction } from './smdpf-function.ts';
import type { Vault } from './vault.ts';

export interface JobsProps {
  readonly config: OperatorConfig;
  readonly vault: Vault;
  readonly storageKey: StorageKey;
  readonly runTask: SmdpfFunction;
  readonly finish: SmdpfFunction;
}

/** Long work: the state machine that the dispatcher starts, and the right to start it. */
export class Jobs extends Construct {
  readonly stateMachine: StateMachine;
  readonly #name: string;

  constructor(scope: Construct, id: string, props: JobsProps) {
    super(scope, id);
    const { config, vault, storageKey, runTask, finish } = props;
    this.#name = `${config.name}-smdpf-jobs`;
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    const logs = new LogGroup(this, 'Log', {
      logGroupName: `${VENDED_LOGS}${this.#name}`,
      retention: config.retention.logDays as RetentionDays,
      encryptionKey: storageKey.key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const definition = jobDefinitionText({
      bucket: vault.bucket.bucketName,
      runTask: runTask.function.functionArn,
      finish: finish.function.functionArn,
      tasksAtOnce: config.quotas.tasksAtOnce,
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: this.#name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definition),
      role,
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: true },
      tracingEnabled: true,
    });
    this.#allow(role, props);
  }

  /** What the state machine itself may do. */
  #allow(role: Role, { vault: { bucket }, storageKey, runTask, finish }: JobsProps): void {
    for (const statement of [
      allowing(['lambda:InvokeFunction'], [runTask.function.functionArn, finish.function.functionArn]),
      allowing(['s3:GetObject'], [bucket.arnForObjects('tasks/*')]),
      allowing(
        ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
        [bucket.arnForObjects('maps/*')],
      ),
      allowing(['kms:Decrypt', 'kms:GenerateDataKey'], [storageKey.key.keyArn], {
        StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` },
      }),
      // a distributed map runs its children as executions of the same state machine
      allowing(['states:StartExecution'], [this.#arn()]),
      allowing(
        ['states:DescribeExecution', 'states:RedriveExecution', 'states:StopExecution'],
        [this.#executions()],
      ),
    ])
      role.addToPrincipalPolicy(statement);
    for (const names of ['tasks/*', 'maps/*'])
      acknowledge(role, 'IAM5', 'one object for each execution', objectsFinding(bucket, names));
    acknowledge(role, 'IAM5', 'X-Ray and the delivery of logs know no resources', 'Resource::*');
    this.#acknowledgeExecutions(role);
  }

  grantTo(fn: SmdpfFunction): void {
    fn.allow(['states:StartExecution'], [this.#arn()]);
    fn.allow(['states:DescribeExecution'], [this.#executions()]);
    this.#acknowledgeExecutions(fn.role);
    fn.grant([], (config) => ({ ...config, dispatcher: `stepfunctions:${this.#arn()}` }));
  }

  #acknowledgeExecutions(role: Role): void {
    const { account, region, partition } = Stack.of(this);
    const named = Token.isUnresolved(partition) ? '<AWS::Partition>' : partition;
    acknowledge(
      role,
      'IAM5',
      'executions are named as work comes in; these are of one state machine',
      `Resource::arn:${named}:states:${region}:${account}:execution:${this.#name}*`,
    );
  }

  /** Written out, since the machine's role and its task's configuration would wait for each other otherwise. */
  #arn(): string {
    return Stack.of(this).formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: this.#name,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  #executions(): string {
    return Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${this.#name}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}
