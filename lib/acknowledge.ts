import { Stack, Validations } from 'aws-cdk-lib';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';

/** Lets one finding of cdk-nag's AwsSolutions rules stand, with its reason; `finding` is what the rule names. */
export function acknowledge(construct: IConstruct, rule: string, reason: string, finding?: string): void {
  const id = `AwsSolutions::AwsSolutions-${rule}${finding === undefined ? '' : `[${finding}]`}`;
  Validations.of(construct).acknowledge({ id, reason });
}

/** How cdk-nag names objects of a bucket in a finding. */
export function objectsFinding(bucket: Bucket, names: string): string {
  const id = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket);
  return `Resource::<${id}.Arn>/${names}`;
}
