import { Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { OperatorConfig } from './config.ts';
import type { StorageKey } from './keys.ts';

/** Who administers the account can undo what keys, records and recovery promise, and each of these calls is a step to it. */
const WATCHED: Readonly<Record<string, readonly string[]>> = {
  'kms.amazonaws.com': [
    'CreateGrant',
    'DisableKey',
    'DisableKeyRotation',
    'PutKeyPolicy',
    'ScheduleKeyDeletion',
    'UpdateAlias',
  ],
  's3.amazonaws.com': [
    'DeleteBucketPolicy',
    'PutBucketLifecycle',
    'PutBucketObjectLockConfiguration',
    'PutObjectLockConfiguration',
    'PutBucketPolicy',
    'PutBucketVersioning',
  ],
  'dynamodb.amazonaws.com': ['CreateBackup', 'DeleteTable', 'UpdateContinuousBackups', 'UpdateTable'],
};

/**
 * Tells who watches of every change to the guards of the stack, as CloudTrail has it, deployments of our own among them
 * (docs/runbook.md#guards). AWS hands these events on where the account has a trail that records management events.
 */
export class Guard extends Construct {
  constructor(scope: Construct, id: string, config: OperatorConfig, topic: Topic, key: StorageKey) {
    super(scope, id);
    const rule = new Rule(this, 'Rule', {
      ruleName: `${config.name}-smdpf-guards`,
      description: 'Keys, bucket or tables of an SM-DPf are changed. See docs/runbook.md#guards',
      eventPattern: {
        source: Object.keys(WATCHED).map((service) => `aws.${service.split('.')[0]}`),
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventSource: Object.keys(WATCHED),
          eventName: Object.values(WATCHED).flat(),
          // what services do for themselves, such as the grants that DynamoDB keeps
          userIdentity: { type: [{ 'anything-but': 'AWSService' }] },
        },
      },
    });
    // by a role: in a policy of the topic EventBridge would stand as a service, with the rules of every account
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('events.amazonaws.com') });
    role.addToPrincipalPolicy(key.rights('sns'));
    const named = Topic.fromTopicArn(this, 'Topic', topic.topicArn);
    rule.addTarget(new SnsTopic(named, { role }));
  }
}
