import { CfnOutput } from 'aws-cdk-lib';
import { AnyPrincipal, ArnPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { OperatorConfig } from './config.ts';
import { keeping } from './keeping.ts';
import { administrationPolicy, aliasNameOf, allowInKey, keyUri } from './keys.ts';

/**
 * A key for each person of dual control, under which they ask and agree (docs/keys.md#two-persons): the role of that person signs with
 * it and nobody else, which a Deny holds against every policy of the account. So an approval is the word of one role, and two
 * sessions of a role are one person.
 */
export class AdministratorKeys extends Construct {
  /** By alias. */
  readonly aliases: Readonly<Record<string, Key>>;

  constructor(scope: Construct, id: string, config: OperatorConfig) {
    super(scope, id);
    const aliases: Record<string, Key> = {};
    for (const { name, roleArn } of config.administrators ?? []) {
      const key = new Key(this, name, {
        description: `SM-DPf ${config.name}: ${name} signs for dual control`,
        keySpec: KeySpec.ECC_NIST_P256,
        keyUsage: KeyUsage.SIGN_VERIFY,
        policy: administrationPolicy(),
        removalPolicy: keeping(config),
      });
      allowInKey(key, new ArnPrincipal(roleArn), ['kms:DescribeKey', 'kms:GetPublicKey', 'kms:Sign']);
      key.addToResourcePolicy(
        new PolicyStatement({
          sid: 'OnePersonSigns',
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: ['kms:Sign'],
          resources: ['*'],
          conditions: { ArnNotEquals: { 'aws:PrincipalArn': roleArn } },
        }),
      );
      const aliasName = aliasNameOf(config, `administrator-${name}`);
      new Alias(this, `${name}-Alias`, { aliasName, targetKey: key });
      aliases[aliasName] = key;
      new CfnOutput(this, `${name}-Uri`, {
        value: keyUri(key),
        description: `SMDPF_IDENTITY of ${name}, by the role ${roleArn}`,
      }).overrideLogicalId(`AdministratorKey${name.replaceAll('-', '')}`);
    }
    this.aliases = aliases;
  }
}
