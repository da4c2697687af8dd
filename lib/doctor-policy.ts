import { CfnOutput, Stack, Token } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { AdministratorKeys } from './administrator-keys.ts';
import type { OperatorConfig } from './config.ts';
import type { StorageKey } from './keys.ts';
import { allowing } from './smdpf-function.ts';
import type { PpkVault, Vault } from './vault.ts';

/** Calls that know no resources, or are asked before one is known. */
const LOOK = [
  'cloudwatch:DescribeAlarms',
  'events:ListRules',
  'lambda:GetAccountSettings',
  'servicequotas:ListAWSDefaultServiceQuotas',
  'servicequotas:ListServiceQuotas',
  // by the ARN of a subscription, which AWS makes up
  'sns:Unsubscribe',
];

/**
 * What `smdpf aws doctor` needs beside the policy of who administers (lib/administrator.ts): it looks, rings one alarm, and
 * has a queue for as long as that takes.
 */
export class DoctorPolicy extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { name, domains }: OperatorConfig,
    {
      topic,
      storageKey,
      ppks,
      vault,
      administratorKeys,
    }: {
      topic: Topic;
      storageKey: StorageKey;
      ppks: PpkVault;
      vault: Vault;
      administratorKeys: AdministratorKeys;
    },
  ) {
    super(scope, id);
    const { region, account, partition } = Stack.of(this);
    const arn = (service: string, resource: string, of = account) =>
      `arn:${partition}:${service}:${region}:${of}:${resource}`;
    const policy = new ManagedPolicy(this, 'Policy', {
      managedPolicyName: `${name}-smdpf-doctor`,
      description: `Checks the SM-DPf ${name} (smdpf aws doctor)`,
    });
    const wide = [
      '*',
      arn('lambda', `function:${name}-*`),
      arn('cloudwatch', `alarm:${name}-smdpf-*`),
      arn('sqs', `${name}-smdpf-doctor-*`),
    ] as const;
    policy.addStatements(
      allowing(LOOK, [wide[0]]),
      allowing(
        ['kms:DescribeKey'],
        [storageKey.key, ppks.storageKey.key, ...Object.values(administratorKeys.aliases)].map(
          ({ keyArn }) => keyArn,
        ),
      ),
      allowing(['s3:GetBucketVersioning', 's3:GetBucketObjectLockConfiguration'], [vault.bucket.bucketArn]),
      allowing(['lambda:GetFunctionConcurrency'], [wide[1]]),
      allowing(['apigateway:GET'], [arn('apigateway', `/domainnames/${domains.parties.name}`, '')]),
      allowing(['cloudwatch:SetAlarmState'], [wide[2]]),
      allowing(['sns:Subscribe'], [topic.topicArn]),
      allowing(['sqs:CreateQueue', 'sqs:DeleteQueue', 'sqs:ReceiveMessage'], [wide[3]]),
    );
    const reason =
      'calls that know no resources, and resources of this stack by the beginning of their names';
    for (const names of wide)
      acknowledge(
        policy,
        'IAM5',
        reason,
        `Resource::${Token.isUnresolved(partition) ? names.replace(partition, '<AWS::Partition>') : names}`,
      );
    new CfnOutput(this, 'Attach', {
      value: policy.managedPolicyArn,
      description: 'Policy for who runs smdpf aws doctor, beside AdministratorPolicy',
    }).overrideLogicalId('DoctorPolicy');
  }
}
