import { Stack } from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  ArnPrincipal,
  type IPrincipal,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Alias, Key, type KeyProps, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { KeyNeed } from '../shared/gsma/port-needs.ts';
import type { KeyRole } from '../shared/keys/provider.ts';
import type { AwsKmsSettings } from '../shared/runtime-config.ts';
import { type CallbackKeyName, callbackKeyContext } from '../shared/service/records/wrap-contexts.ts';
import { administratorRoles, type OperatorConfig, signsPerTask } from './config.ts';
import type { LambdaName } from './functions.ts';
import { keeping } from './keeping.ts';
import { VENDED_LOGS } from './log-names.ts';
import { allowing, type SmdpfFunction } from './smdpf-function.ts';

/**
 * What the account may do with a key by its own IAM policies: look after it, not use it. AWS asks for the rights on an
 * alias twice, at the alias by IAM and at the key by this policy.
 */
const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
];

const P256 = { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY };
const SPECS: Readonly<Record<KeyRole, Pick<KeyProps, 'keySpec' | 'keyUsage'>>> = {
  wrapping: {},
  delivery: P256,
  binding: P256,
  intake: { keySpec: KeySpec.RSA_3072, keyUsage: KeyUsage.ENCRYPT_DECRYPT },
  longTerm: { keySpec: KeySpec.ML_DSA_65, keyUsage: KeyUsage.SIGN_VERIFY },
};

type Conditions = Record<string, Record<string, unknown>>;

const DESCRIBE = ['kms:DescribeKey'];
const LOOK = [...DESCRIBE, 'kms:GetPublicKey'];
const SIGN = [...LOOK, 'kms:Sign'];

/** An encryption context that is asked for by name: data keys of other purposes stay closed. */
const forPurposes = (...names: CallbackKeyName[]) => ({
  StringEquals: { 'kms:EncryptionContext:purpose': names.map((name) => callbackKeyContext(name).purpose) },
});

/** Which keys a need is about, what it may do with them, and what more in which encryption contexts. */
const NEEDS: Readonly<
  Record<KeyNeed, readonly [KeyRole, readonly string[], (readonly [readonly string[], Conditions])?]>
> = {
  binding: ['binding', SIGN],
  bindingPublic: ['binding', LOOK],
  delivery: ['delivery', SIGN],
  deliveryPublic: ['delivery', LOOK],
  intake: ['intake', [...LOOK, 'kms:Decrypt']],
  intakePublic: ['intake', LOOK],
  longTerm: ['longTerm', SIGN],
  longTermPublic: ['longTerm', LOOK],
  wrapping: ['wrapping', [...DESCRIBE, 'kms:GenerateDataKey', 'kms:Decrypt']],
  wrappingPublic: ['wrapping', DESCRIBE],
  rewrapping: ['wrapping', [...DESCRIBE, 'kms:Decrypt', 'kms:Encrypt']],
  callbackWrapping: [
    'wrapping',
    DESCRIBE,
    [['kms:GenerateDataKey', 'kms:Decrypt'], forPurposes('signing', 'client')],
  ],
};

/**
 * The keys of the SM-DPf: one that wraps the data keys of packs and templates, one that signs manifests, one that
 * opens what Operators encrypt to us, more of each where a rotation has made them, and one for each CI that signs as
 * DPpb. The account cannot use them by an IAM policy alone: each key's own policy names the roles that may, and what.
 */
export class Keys extends Construct {
  /** The first key of each role: what the configuration names, until a rotation says otherwise in the ledger. */
  readonly wrapping: Key;
  readonly delivery: Key;
  /** RSA: what Operators encrypt to us. */
  readonly intake: Key;
  /** ML-DSA-65, where the deployment signs twice what must hold for years. */
  readonly longTerm: Key | undefined;
  /** By the name of the CI. */
  readonly binding: Readonly<Record<string, Key>>;
  /** By role and name, such as `wrapping-2027`. */
  readonly further: Readonly<Record<string, Key>>;
  /** The key that each alias names. */
  readonly aliases: Readonly<Record<string, Key>> = {};
  readonly #ofRole: Readonly<Record<KeyRole, readonly Key[]>>;
  readonly #config: OperatorConfig;

  constructor(scope: Construct, id: string, config: OperatorConfig) {
    super(scope, id);
    this.#config = config;
    this.wrapping = this.#key('Wrapping', 'wrapping', 'wrapping');
    this.delivery = this.#key('Delivery', 'delivery', 'delivery');
    this.intake = this.#key('Intake', 'intake', 'intake');
    this.longTerm =
      config.longTermSignatures === true ? this.#key('LongTerm', 'longTerm', 'long-term') : undefined;
    this.binding = Object.fromEntries(
      config.bindingKeys.map((ci) => [ci, this.#key(`Binding-${ci}`, 'binding', `binding-${ci}`)]),
    );
    const further: Record<string, Key> = {};
    const all = (role: 'wrapping' | 'delivery' | 'intake') => [
      this[role],
      ...(config.furtherKeys?.[role] ?? []).map((name) => {
        const alias = `${role}-${name}`;
        const key = this.#key(`Further-${alias}`, role, alias);
        further[alias] = key;
        return key;
      }),
    ];
    this.#ofRole = {
      wrapping: all('wrapping'),
      delivery: all('delivery'),
      intake: all('intake'),
      binding: Object.values(this.binding),
      longTerm: this.longTerm === undefined ? [] : [this.longTerm],
    };
    this.further = further;
    for (const roleArn of administratorRoles(config))
      for (const [key, actions, conditions] of this.#ofAdministrators())
        allowInKey(key, new ArnPrincipal(roleArn), actions, conditions);
  }

  /**
   * To request certificates and to take keys into use; data keys and rows stay closed to people. A client key for
   * callbacks is sealed where it is made, and opened by who posts them.
   */
  #ofAdministrators(): (readonly [Key, readonly string[], Conditions?])[] {
    const sealing = [['kms:GenerateDataKey'], forPurposes('client')] as const;
    return [
      ...(['binding', 'delivery', 'wrappingPublic', 'intakePublic', 'longTerm'] as const).flatMap((need) => {
        const [role, actions] = NEEDS[need];
        return this.#ofRole[role].map((key) => [key, actions] as const);
      }),
      ...this.#ofRole.wrapping.map((key) => [key, ...sealing] as const),
    ];
  }

  /** The same rights, for the policy of who administers. */
  rights(): PolicyStatement[] {
    return this.#ofAdministrators().map(([key, actions, conditions]) =>
      allowing(actions, [key.keyArn], conditions),
    );
  }

  grantTo(fn: SmdpfFunction, name: LambdaName, uses: readonly KeyNeed[]): void {
    const { wrapping, delivery, intake, longTerm } = this;
    // names, for everybody: that one key has one role can only be held by who knows them all
    fn.grant([], (config) => ({
      ...config,
      keys: {
        wrapping: keyUri(wrapping),
        delivery: keyUri(delivery),
        intake: keyUri(intake),
        ...(longTerm !== undefined && { longTerm: keyUri(longTerm) }),
      },
    }));
    for (const need of uses) {
      const [role, actions, more] = NEEDS[need];
      for (const key of this.#ofRole[role]) {
        this.#allow(fn, key, actions);
        if (more !== undefined) this.#allow(fn, key, ...more);
      }
    }
    if (name === 'jobs.runTask') {
      // the share of just-in-time requests is taken off already
      const awskms: AwsKmsSettings = { signsPerSecond: signsPerTask(this.#config), interactiveShare: 0 };
      fn.grant([], (config) => ({ ...config, keys: { ...config.keys, awskms } }));
    }
  }

  /** The key's policy and the role's: either alone would do, both say it where one looks for it. */
  #allow(fn: SmdpfFunction, key: Key, actions: readonly string[], conditions?: Conditions): void {
    allowInKey(key, fn.role, actions, conditions);
    fn.grant([allowing(actions, [key.keyArn], conditions)]);
  }

  #key(id: string, role: KeyRole, alias: string): Key {
    const key = new Key(this, id, {
      description: `SM-DPf key for ${role}`,
      ...SPECS[role],
      enableKeyRotation: role === 'wrapping',
      policy: administrationPolicy(),
      // a key that is gone cannot be made again: even its stack's removal leaves it
      removalPolicy: keeping(this.#config),
    });
    const aliasName = aliasNameOf(this.#config, alias);
    new Alias(this, `${id}-Alias`, { aliasName, targetKey: key });
    Object.assign(this.aliases, { [aliasName]: key });
    return key;
  }
}

export const aliasNameOf = ({ name }: OperatorConfig, alias: string) => `alias/smdpf/${name}/${alias}`;

export const keyUri = (key: Key) => `awskms:key-id=${key.keyArn}`;

/** What DynamoDB does with a key of the customer in the name of who makes and uses a table. */
const USED_BY_DYNAMODB = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];
/** What S3, SQS and SNS do with it in the name of who puts and gets. */
const USED_BY_OTHERS = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** The key under which stores keep what they hold: usable only through these services, by roles that may use them. */
export class StorageKey extends Construct {
  readonly key: Key;
  readonly aliasName: string;
  readonly #services: readonly string[];

  constructor(
    scope: Construct,
    id: string,
    { config, services, alias }: { config: OperatorConfig; services: readonly string[]; alias: string },
  ) {
    super(scope, id);
    const { region, account } = Stack.of(this);
    this.#services = services.map((service) => `${service}.${region}.amazonaws.com`);
    this.key = new Key(this, 'Key', {
      description: `SM-DPf ${config.name}: ${alias}`,
      enableKeyRotation: true,
      policy: administrationPolicy(),
      removalPolicy: keeping(config),
    });
    this.aliasName = aliasNameOf(config, alias);
    new Alias(this, 'Alias', { aliasName: this.aliasName, targetKey: this.key });
    const root = new AccountRootPrincipal();
    const viaServices = {
      StringEquals: { 'kms:ViaService': this.#services, 'kms:CallerAccount': account },
    };
    allowInKey(this.key, root, USED_BY_DYNAMODB, viaServices);
    // DynamoDB keeps a grant for its own work on a table
    allowInKey(this.key, root, ['kms:CreateGrant'], {
      ...viaServices,
      Bool: { 'kms:GrantIsForAWSResource': true },
    });
  }

  allowLogs(): void {
    const { region, account, partition } = Stack.of(this);
    const groups = `arn:${partition}:logs:${region}:${account}:log-group`;
    allowInKey(
      this.key,
      new ServicePrincipal(`logs.${region}.amazonaws.com`),
      [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': [`${groups}:/smdpf/*`, `${groups}:${VENDED_LOGS}*`],
        },
      },
    );
  }

  /** CloudWatch's alarms publish to a topic under this key. */
  allowAlarms(): void {
    allowInKey(this.key, new ServicePrincipal('cloudwatch.amazonaws.com'), USED_BY_OTHERS, {
      StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
    });
  }

  /** What a service may do with the key in the name of who puts and gets there. */
  rights(service: 'dynamodb' | 's3' | 'sqs' | 'sns'): PolicyStatement {
    const { region } = Stack.of(this);
    return allowing(service === 'dynamodb' ? USED_BY_DYNAMODB : USED_BY_OTHERS, [this.key.keyArn], {
      StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com` },
    });
  }
}

export function administrationPolicy(): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'AdministerOnly',
        principals: [new AccountRootPrincipal()],
        actions: ADMINISTRATION,
        resources: ['*'],
      }),
    ],
  });
}

/** In a key's policy the resource `*` is that key. */
export function allowInKey(
  key: Key,
  principal: IPrincipal,
  actions: readonly string[],
  conditions?: Conditions,
): void {
  const statement = allowing(actions, ['*'], conditions);
  statement.addPrincipals(principal);
  key.addToResourcePolicy(statement);
}
