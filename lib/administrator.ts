import { CfnOutput } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { AuditAnchor } from './audit-anchor.ts';
import type { OperatorConfig } from './config.ts';
import type { Keys } from './keys.ts';
import type { Ledger } from './ledger.ts';
import type { PpkVault, Vault } from './vault.ts';

/**
 * What the role `administratorRoleArn`, and each role of `administrators`, needs to run `smdpf trust`, `smdpf party`, `smdpf keys` and `smdpf audit` against
 * the stack: a policy, to be attached by hand, since many accounts let only one place change roles. It opens neither data
 * keys nor PPKs; restoring a ledger and removing an Operator ask for more, for the while.
 */
export class Administrator extends Construct {
  constructor(
    scope: Construct,
    id: string,
    config: OperatorConfig,
    ports: {
      readonly ledger: Ledger;
      readonly vault: Vault;
      readonly ppks: PpkVault;
      readonly keys: Keys;
      readonly anchor?: AuditAnchor;
    },
  ) {
    super(scope, id);
    const policy = new ManagedPolicy(this, 'Policy', {
      managedPolicyName: `${config.name}-smdpf-administrator`,
      description: `Administers trust, parties and keys of the SM-DPf ${config.name}`,
    });
    policy.addStatements(
      ...ports.ledger.rights(),
      ...ports.vault.rights(policy, 'write'),
      ...ports.ppks.identityRights(),
      ...ports.keys.rights(),
    );
    ports.anchor?.readBy(policy);
    new CfnOutput(this, 'Attach', {
      value: policy.managedPolicyArn,
      description: 'Policy to attach to administratorRoleArn and the roles of administrators',
    }).overrideLogicalId('AdministratorPolicy');
  }
}
