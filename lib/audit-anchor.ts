import { CfnOutput } from 'aws-cdk-lib';
import type { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { auditHeadsOf } from '../shared/service/records/object-names.ts';
import { acknowledge } from './acknowledge.ts';
import type { OperatorConfig } from './config.ts';
import type { Keys } from './keys.ts';
import { allowing, type SmdpfFunction } from './smdpf-function.ts';

export type AuditAnchorConfig = NonNullable<OperatorConfig['auditAnchor']>;

/**
 * Where ends of the audit log are kept outside this stack (I8): a bucket that is somebody else's, best in another account and region,
 * with Object Lock. The stack puts what is signed under `audit-heads/DEPLOYMENT/` and can take nothing back; whose bucket it
 * is has to let its role in (docs/deploy.md).
 */
export class AuditAnchor extends Construct {
  readonly uri: string;
  readonly #anchor: AuditAnchorConfig;
  readonly #objects: string;

  constructor(scope: Construct, id: string, { deployment }: OperatorConfig, anchor: AuditAnchorConfig) {
    super(scope, id);
    this.#anchor = anchor;
    const { bucketArn, region, lockDays } = anchor;
    this.#objects = `${bucketArn}/${auditHeadsOf(deployment)}*`;
    const bucket = bucketArn.split(':').at(-1)!;
    this.uri = `s3://${bucket}?lock-days=${lockDays}${region === undefined ? '' : `&region=${region}`}`;
  }

  /** To the Lambda that moves the log on: it signs an end with the delivery key, and puts it. */
  grantTo(fn: SmdpfFunction, keys: Keys): void {
    keys.grantTo(fn, 'audit.chain', ['delivery']);
    fn.grant(this.#rights(fn.role, 'write'), (config) => ({ ...config, auditAnchor: this.uri }));
    new CfnOutput(this, 'Writer', {
      value: fn.role.roleArn,
      description: 'Role that the bucket of auditAnchor has to let in',
    }).overrideLogicalId('AuditAnchorWriter');
  }

  /** To who verifies the log. */
  readBy(policy: ManagedPolicy): void {
    policy.addStatements(...this.#rights(policy, 'read'));
  }

  #rights(holder: IConstruct, access: 'read' | 'write'): PolicyStatement[] {
    const { bucketArn, keyArn } = this.#anchor;
    acknowledge(
      holder,
      'IAM5',
      'the names of objects follow from the log: these are of one folder of one bucket',
      `Resource::${this.#objects}`,
    );
    const put = ['s3:PutObject', 's3:PutObjectRetention', 's3:GetObjectRetention'];
    return [
      allowing(['s3:GetObject', ...(access === 'write' ? put : [])], [this.#objects]),
      allowing(['s3:ListBucket'], [bucketArn]),
      ...(keyArn === undefined
        ? []
        : [allowing(['kms:Decrypt', ...(access === 'write' ? ['kms:GenerateDataKey'] : [])], [keyArn])]),
    ];
  }
}
