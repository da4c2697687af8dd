import { readFileSync } from 'node:fs';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { MAX_CALLBACK_CA } from '../../lib/check-config.ts';
import type { OperatorConfig } from '../../lib/config.ts';
import { OperatorStack } from '../../lib/operator-stack.ts';
import { EXAMPLES, listed } from '../../lib/operators/index.ts';
import {
  objectNames,
  PPK_IDENTITY,
  REMOVABLE,
  WRITTEN_ONCE,
} from '../../shared/service/records/object-names.ts';
import { ACCOUNT, arnOf, byResource, byRole, idOf, REGION, ROOT, resolved } from './policies.ts';
import { app, emptyBundles, templateOf } from './synthesized.ts';

interface State {
  readonly TimeoutSeconds: number;
  readonly Retry: readonly { readonly MaxAttempts: number }[];
}
interface StateMachine {
  readonly TimeoutSeconds: number;
  readonly States: {
    readonly Tasks: { readonly ItemProcessor: { readonly States: { readonly Task: State } } };
    readonly Finish: State;
  };
}

/**
 * What a first deployment to AWS needs and no emulator asks for. Policies are weighed as AWS does, with the references of
 * the template resolved.
 */
const bundles = emptyBundles();
const [mobile, , trial] = EXAMPLES as [(typeof EXAMPLES)[0], (typeof EXAMPLES)[0], (typeof EXAMPLES)[0]];
const config = { ...mobile, env: { account: ACCOUNT, region: REGION } };
const template = templateOf(config, bundles);
const resources = template.toJSON().Resources as Record<
  string,
  { Type: string; DeletionPolicy?: string; DependsOn?: string[]; Properties: Record<string, unknown> }
>;
const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
const vault = arnOf(idOf(template, 'AWS::S3::Bucket', 'Vault'));
const storageKey = idOf(template, 'AWS::KMS::Key', 'StorageKey');

describe('CloudFormation may', () => {
  it('give, move and take the alias of every key, which AWS asks for at the key too', () => {
    const keys = ofType('AWS::KMS::Key');
    expect(keys.length).toBeGreaterThan(5);
    for (const [id] of keys)
      for (const action of ['kms:CreateAlias', 'kms:UpdateAlias', 'kms:DeleteAlias', 'kms:EnableKeyRotation'])
        expect(
          byResource(template, id, { principal: ROOT, action, resource: arnOf(id) }),
          `${action} ${id}`,
        ).toBe('allowed');
  });

  it('have DynamoDB make tables under the keys of the stores', () => {
    const context = { 'kms:ViaService': `dynamodb.${REGION}.amazonaws.com`, 'kms:CallerAccount': ACCOUNT };
    for (const [beginning, action] of ['StorageKey', 'PpkKey'].flatMap((key) =>
      [
        'Encrypt',
        'Decrypt',
        'ReEncryptFrom',
        'ReEncryptTo',
        'GenerateDataKey',
        'GenerateDataKeyWithoutPlaintext',
        'DescribeKey',
      ].map((name) => [key, `kms:${name}`] as const),
    )) {
      const id = idOf(template, 'AWS::KMS::Key', beginning);
      const request = { principal: ROOT, action, resource: arnOf(id), context };
      expect(byResource(template, id, request), `${action} ${beginning}`).toBe('allowed');
      expect(byResource(template, id, { ...request, context: {} })).toBe(
        action === 'kms:DescribeKey' ? 'allowed' : 'silent',
      );
    }
    // its own work on a table it does by a grant, which nobody makes for anybody else
    for (const beginning of ['StorageKey', 'PpkKey']) {
      const id = idOf(template, 'AWS::KMS::Key', beginning);
      const grant = (more: Record<string, string>) =>
        byResource(template, id, {
          principal: ROOT,
          action: 'kms:CreateGrant',
          resource: arnOf(id),
          context: more,
        });
      expect(grant({ ...context, 'kms:GrantIsForAWSResource': 'true' }), beginning).toBe('allowed');
      expect(grant(context), beginning).toBe('silent');
      expect(grant({ 'kms:GrantIsForAWSResource': 'true' }), beginning).toBe('silent');
    }
    const role = idOf(template, 'AWS::IAM::Role', 'jobsrunTaskRole');
    for (const action of ['kms:ReEncryptFrom', 'kms:GenerateDataKeyWithoutPlaintext'])
      expect(byRole(template, role, { action, resource: arnOf(storageKey), context })).toBe('allowed');
  });

  it('take back whatever a creation that failed has made', () => {
    for (const [id, { Type, DeletionPolicy }] of Object.entries(resources)) {
      expect(DeletionPolicy, id).not.toBe('Retain');
      if (Type === 'AWS::KMS::Key' || Type === 'AWS::S3::Bucket')
        expect(DeletionPolicy).toBe('RetainExceptOnCreate');
    }
    const protectedTables = (of: OperatorConfig) =>
      Object.values(templateOf(of, bundles).findResources('AWS::DynamoDB::Table')).map(
        ({ Properties }) => Properties.DeletionProtectionEnabled,
      );
    const { established, ...first } = config;
    expect(established).toBe(true);
    expect(protectedTables(first)).toEqual([false, false]);
    expect(protectedTables(config)).toEqual([true, true]);
  });

  it('make the two domain names one after the other', () => {
    const parties = idOf(template, 'AWS::ApiGatewayV2::DomainName', 'Parties');
    expect(resources[idOf(template, 'AWS::ApiGatewayV2::DomainName', 'Field')]?.DependsOn).toContain(parties);
  });
});

it('a first deployment has descriptions in plain words, since CloudFormation takes no reference in them', () => {
  for (const [name, { Description }] of Object.entries(template.findOutputs('*')))
    expect(typeof Description, name).toBe('string');
  expect(template.findOutputs('*').PartiesDomainTarget?.Description).toContain(config.domains.parties.name);
});

it('a first deployment tells where the domain names have to point', () => {
  const outputs = template.findOutputs('*');
  for (const side of ['Parties', 'Field']) {
    const domain = idOf(template, 'AWS::ApiGatewayV2::DomainName', side);
    expect(resolved(outputs[`${side}DomainTarget`]?.Value)).toBe(`${arnOf(domain)}.RegionalDomainName`);
    expect(resolved(outputs[`${side}DomainZone`]?.Value)).toBe(`${arnOf(domain)}.RegionalHostedZoneId`);
  }
});

it('a first deployment makes a policy for who administers, which opens no data key', () => {
  const id = idOf(template, 'AWS::IAM::ManagedPolicy', 'Administrator');
  expect(template.findOutputs('AdministratorPolicy')).toHaveProperty('AdministratorPolicy');
  const ask = (action: string, resource: string, context = {}) =>
    byResource(template, id, { principal: '', action, resource, context });
  const ledger = arnOf(idOf(template, 'AWS::DynamoDB::Table', 'Ledger'));
  const via = (service: string) => ({ 'kms:ViaService': `${service}.${REGION}.amazonaws.com` });
  expect(ask('dynamodb:PutItem', ledger)).toBe('allowed');
  expect(ask('kms:Decrypt', arnOf(storageKey), via('dynamodb'))).toBe('allowed');
  expect(ask('s3:PutObject', `${vault}/crls/00`)).toBe('allowed');
  expect(ask('kms:GenerateDataKey', arnOf(storageKey), via('s3'))).toBe('allowed');
  expect(ask('kms:Sign', arnOf(idOf(template, 'AWS::KMS::Key', 'KeysBindinggsmaci')))).toBe('allowed');
  const wrapping = arnOf(idOf(template, 'AWS::KMS::Key', 'KeysWrapping'));
  expect(ask('kms:DescribeKey', wrapping)).toBe('allowed');
  expect(ask('kms:Decrypt', wrapping)).toBe('silent');
  // a client key for callbacks is sealed by who makes it, and opened by the server alone
  const purpose = (name: string) => ({ 'kms:EncryptionContext:purpose': name });
  expect(ask('kms:GenerateDataKey', wrapping, purpose('callback-client'))).toBe('allowed');
  expect(ask('kms:GenerateDataKey', wrapping, purpose('callback-signing'))).toBe('silent');
  expect(ask('kms:GenerateDataKey', wrapping)).toBe('silent');
  expect(ask('kms:Decrypt', wrapping, purpose('callback-client'))).toBe('silent');
  // whose PPK vault it is, which is asked before anything else, and none of its keys
  const ppks = arnOf(idOf(template, 'AWS::DynamoDB::Table', 'Ppks'));
  const item = (name: string) => ({ 'dynamodb:LeadingKeys': name });
  for (const action of ['dynamodb:GetItem', 'dynamodb:PutItem']) {
    expect(ask(action, ppks, item(PPK_IDENTITY)), action).toBe('allowed');
    expect(ask(action, ppks, item('ORDER/0/attempt')), action).toBe('silent');
    expect(ask(action, ppks), action).toBe('silent');
  }
  for (const action of ['dynamodb:Query', 'dynamodb:Scan', 'dynamodb:DeleteItem'])
    expect(ask(action, ppks, item(PPK_IDENTITY)), action).toBe('silent');
  const ppkKey = arnOf(idOf(template, 'AWS::KMS::Key', 'PpkKey'));
  expect(ask('kms:Decrypt', ppkKey, via('dynamodb'))).toBe('allowed');
  expect(ask('kms:Decrypt', ppkKey)).toBe('silent');
  expect(JSON.stringify(resolved(resources[id]?.Properties.PolicyDocument)).length).toBeLessThan(6_144);
});

it('who posts callbacks opens their keys and endorses one, and no data key of profiles or templates', () => {
  const role = idOf(template, 'AWS::IAM::Role', 'notifydeliver');
  const ask = (action: string, resource: string, context = {}) =>
    byRole(template, role, { action, resource, context });
  const key = (name: string) => arnOf(idOf(template, 'AWS::KMS::Key', name));
  const purpose = (name: string) => ({ 'kms:EncryptionContext:purpose': name });
  for (const action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
    for (const name of ['callback-client', 'callback-signing'])
      expect(ask(action, key('KeysWrapping'), purpose(name)), `${action} ${name}`).toBe('allowed');
    expect(ask(action, key('KeysWrapping'), purpose('template')), action).toBe('silent');
    expect(ask(action, key('KeysWrapping')), action).toBe('silent');
  }
  expect(ask('kms:Sign', key('KeysDelivery'))).toBe('allowed');
  expect(ask('kms:Sign', key('KeysBindinggsmaci'))).toBe('silent');
  const sweeper = idOf(template, 'AWS::IAM::Role', 'notifysweep');
  expect(byRole(template, sweeper, { action: 'kms:Sign', resource: key('KeysDelivery') })).toBe('silent');
});

describe('alarms are heard:', () => {
  const topicPolicy = idOf(template, 'AWS::SNS::TopicPolicy', 'Watch');
  const topic = arnOf(idOf(template, 'AWS::SNS::Topic', 'Watch'));
  const context = {
    'aws:SourceAccount': ACCOUNT,
    'aws:SourceArn': `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:example-mobile-smdpf-faults`,
    'aws:SecureTransport': 'true',
  };
  const principal = 'cloudwatch.amazonaws.com';
  const publish = { principal, action: 'sns:Publish', resource: topic };

  it('CloudWatch may publish to the topic, for alarms of this account alone', () => {
    expect(byResource(template, topicPolicy, { ...publish, context })).toBe('allowed');
    const foreign = { ...context, 'aws:SourceAccount': '999999999999' };
    expect(byResource(template, topicPolicy, { ...publish, context: foreign })).toBe('silent');
  });

  it('CloudWatch may use the key of the topic', () => {
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
      const request = { principal, action, resource: arnOf(storageKey), context };
      expect(byResource(template, storageKey, request)).toBe('allowed');
    }
  });

  it('whoever changes a key policy, or what guards records and tables, is told of', () => {
    const [, rule] = ofType('AWS::Events::Rule').find(([id]) => id.startsWith('Guard'))!;
    const pattern = rule.Properties.EventPattern as { detail: { eventName: string[] } };
    expect(pattern).toMatchObject({ 'detail-type': ['AWS API Call via CloudTrail'] });
    for (const name of [
      'PutKeyPolicy',
      'DisableKey',
      'ScheduleKeyDeletion',
      'PutBucketPolicy',
      'DeleteTable',
    ])
      expect(pattern.detail.eventName).toContain(name);
    const [target] = resolved(rule.Properties.Targets) as [{ Arn: string; RoleArn: string }];
    expect(target.Arn).toBe(topic);
    const role = idOf(template, 'AWS::IAM::Role', 'Guard');
    expect(target.RoleArn).toBe(arnOf(role));
    expect(byRole(template, role, { action: 'sns:Publish', resource: topic })).toBe('allowed');
    const via = { 'kms:ViaService': `sns.${REGION}.amazonaws.com` };
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey'])
      expect(byRole(template, role, { action, resource: arnOf(storageKey), context: via })).toBe('allowed');
    const account = { ...via, 'kms:CallerAccount': ACCOUNT };
    expect(
      byResource(template, storageKey, {
        principal: ROOT,
        action: 'kms:Decrypt',
        resource: arnOf(storageKey),
        context: account,
      }),
    ).toBe('allowed');
  });

  it('a schedule that has stopped raises an alarm by the runs that are missing', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
    for (const [id, rule] of ofType('AWS::Events::Rule').filter(
      ([, { Properties }]) => Properties.ScheduleExpression,
    )) {
      const [target] = rule.Properties.Targets as [{ Arn: { 'Fn::GetAtt': [string] } }];
      const watching = alarms.filter(
        ({ TreatMissingData, Dimensions }) =>
          TreatMissingData === 'breaching' &&
          JSON.stringify(Dimensions).includes(`"Ref":"${target.Arn['Fn::GetAtt'][0]}"`),
      );
      expect(watching, id).toMatchObject([
        { MetricName: 'Invocations', ComparisonOperator: 'LessThanThreshold', Threshold: 1 },
      ]);
      expect(Number(watching[0]?.Period) * Number(watching[0]?.EvaluationPeriods)).toBeLessThanOrEqual(
        86_400,
      );
    }
  });
});

describe('a locked object', () => {
  const bucketPolicy = idOf(template, 'AWS::S3::BucketPolicy', 'Vault');
  const context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
  const writers = ofType('AWS::IAM::Role')
    .map(([id]) => id)
    .filter(
      (role) =>
        byRole(template, role, { action: 's3:PutObject', resource: `${vault}/commits/1` }) === 'allowed',
    );

  it('gets no newer version, by whoever asks', () => {
    const put = { principal: ROOT, action: 's3:PutObject', context };
    for (const folder of WRITTEN_ONCE) {
      const resource = `${vault}/${folder}x`;
      expect(byResource(template, bucketPolicy, { ...put, resource }), folder).toBe('denied');
      const first = { ...context, 's3:if-none-match': '*' };
      expect(byResource(template, bucketPolicy, { ...put, resource, context: first }), folder).toBe('silent');
    }
    expect(byResource(template, bucketPolicy, { ...put, resource: `${vault}/uploads/x` })).toBe('silent');
  });

  it('is not hidden behind a delete marker, so that no second one becomes the first', () => {
    for (const folder of WRITTEN_ONCE) {
      const request = {
        principal: ROOT,
        action: 's3:DeleteObject',
        resource: `${vault}/${folder}x`,
        context,
      };
      expect(byResource(template, bucketPolicy, request), folder).toBe('denied');
    }
    expect(writers.length).toBeGreaterThan(3);
    // nobody lays a delete marker anywhere: what may be removed is removed by version
    for (const role of writers)
      for (const folder of [...WRITTEN_ONCE, ...REMOVABLE])
        expect(
          byRole(template, role, { action: 's3:DeleteObject', resource: `${vault}/${folder}x` }),
          role,
        ).toBe('silent');
    for (const role of writers)
      for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion'])
        for (const folder of WRITTEN_ONCE)
          expect(
            byRole(template, role, { action, resource: `${vault}/${folder}x` }),
            `${role} ${action} ${folder}`,
          ).toBe('silent');
  });

  it('has a folder of its own kind: every name is of one that is written once, or of one that may be removed', () => {
    const { rowIndex, ...others } = objectNames;
    const names = [
      rowIndex(objectNames.template('1', '2')),
      ...Object.values(others).map((name) =>
        typeof name === 'string' ? name : name('1' as never, '2' as never, 3 as never),
      ),
    ];
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      expect(
        [...WRITTEN_ONCE, ...REMOVABLE].filter((folder) => name.startsWith(folder)),
        name,
      ).toHaveLength(1);
      for (const role of writers)
        expect(byRole(template, role, { action: 's3:PutObject', resource: `${vault}/${name}` }), name).toBe(
          'allowed',
        );
    }
  });

  it('is put into its own folder alone: nobody writes under a name that no folder is known for', () => {
    for (const role of writers)
      for (const name of ['x', 'elsewhere/x', `x/${WRITTEN_ONCE[0]}x`])
        expect(
          byRole(template, role, { action: 's3:PutObject', resource: `${vault}/${name}` }),
          `${role} ${name}`,
        ).toBe('silent');
  });

  it('is the only kind that stays: the staging area is emptied', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({
            Prefix: '.staging/',
            ExpirationInDays: 1,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          }),
        ]),
      },
    });
  });
});

describe('Lambda has room for calls while', () => {
  const reserved = (of: OperatorConfig, beginning: string) =>
    Object.entries(templateOf(of, bundles).findResources('AWS::Lambda::Function')).find(([id]) =>
      id.startsWith(beginning),
    )?.[1].Properties.ReservedConcurrentExecutions;

  it('jobs run, and the field calls', () => {
    expect(reserved(config, 'jobsrunTask')).toBe(config.quotas.tasksAtOnce);
    expect(reserved(config, 'es9plushandleNotification')).toBe(config.quotas.fieldCallsAtOnce);
    // a new account has too few to give any away
    expect(reserved(trial, 'jobsrunTask')).toBeUndefined();
  });

  it('a stage has a limit of its own for either side', () => {
    const rates = ofType('AWS::ApiGatewayV2::Stage').map(
      ([id, { Properties }]) =>
        [
          id.startsWith('Field'),
          (Properties.DefaultRouteSettings as { ThrottlingRateLimit: number }).ThrottlingRateLimit,
        ] as const,
    );
    expect(new Map(rates)).toEqual(
      new Map([
        [true, config.quotas.fieldCallsPerSecond],
        [false, config.quotas.callsPerSecond],
      ]),
    );
  });
});

it('an execution ends after a day at most, waits its turn, and may be redriven', () => {
  const [, { Properties }] = ofType('AWS::StepFunctions::StateMachine')[0]!;
  const text = resolved(Properties.DefinitionString) as string;
  expect(text).toContain('"ToleratedFailurePercentage":100.0,');
  const definition = JSON.parse(text) as StateMachine;
  expect(definition.TimeoutSeconds).toBe(86_400);
  const { Task } = definition.States.Tasks.ItemProcessor.States;
  for (const state of [Task, definition.States.Finish]) {
    expect(state.TimeoutSeconds).toBeGreaterThan(300);
    expect(state.Retry[0]).toMatchObject({ ErrorEquals: ['Lambda.TooManyRequestsException'] });
    expect(state.Retry[0]!.MaxAttempts).toBeGreaterThan(50);
  }
  const role = idOf(template, 'AWS::IAM::Role', 'JobsRole');
  const child = `arn:aws:states:${REGION}:${ACCOUNT}:execution:${config.name}-smdpf-jobs/Tasks:1`;
  expect(byRole(template, role, { action: 'states:RedriveExecution', resource: child })).toBe('allowed');
});

it('logs that services deliver share the policy of vended logs, and the key lets them be written', () => {
  const delivered = ofType('AWS::Logs::LogGroup').filter(([id]) => /^(Parties|Field|Jobs)Log/.test(id));
  expect(delivered).toHaveLength(3);
  for (const [, { Properties }] of ofType('AWS::Logs::LogGroup')) {
    const name = String(Properties.LogGroupName);
    const context = {
      'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}`,
    };
    const request = {
      principal: `logs.${REGION}.amazonaws.com`,
      action: 'kms:GenerateDataKey',
      resource: arnOf(storageKey),
      context,
    };
    expect(byResource(template, storageKey, request), name).toBe('allowed');
  }
  for (const [, { Properties }] of delivered)
    expect(String(Properties.LogGroupName)).toMatch(/^\/aws\/vendedlogs\//);
});

it('the environment of every function stays within the 4,096 octets of Lambda, with the largest CA that is taken', () => {
  for (const [id, { Properties }] of ofType('AWS::Lambda::Function')) {
    const { Variables } = resolved(Properties.Environment) as { Variables: Record<string, string> };
    const octets = Object.entries(Variables).reduce(
      (sum, [name, value]) => sum + name.length + value.length,
      0,
    );
    // names that AWS makes up are longer than the stand-ins here; line ends of PEM are two characters in JSON
    const largestCa = MAX_CALLBACK_CA + MAX_CALLBACK_CA / 64;
    expect(octets + 300 + largestCa, id).toBeLessThan(4_096);
  }
});

it('whoever deploys for the first time is warned of what cannot be taken back', () => {
  const warned = (of: OperatorConfig) => {
    const stack = new OperatorStack(app(), 'smdpf-x', of, bundles);
    return Found.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data));
  };
  const { established: _, ...first } = config;
  expect(warned(first).join()).toMatch(/established[\s\S]*3650 days/);
  expect(warned(config).filter((text) => /smdpf:/.test(text))).toEqual([]);
  expect(warned(trial).join()).not.toContain('lockDays');
  expect(warned(trial).join()).toContain("Lambda's quota is too small");
  expect(trial.retention.lockDays).toBe(1);
});

it('what no template changes stands in the documents: TLS 1.2 at most, and no WAF on an HTTP API', () => {
  const limits = readFileSync('docs/deploy.md', 'utf8').split('\n## Limits of the front door\n')[1]!;
  expect(limits).toContain('**TLS 1.2 at most**');
  expect(limits).toContain('**No WAF.**');
});

it('every example names who administers, since a step of docs/deploy.md asks for it', () => {
  for (const { name, administratorRoleArn } of EXAMPLES) expect(administratorRoleArn, name).toBeDefined();
});

describe('the commands of the documents', () => {
  const places = [
    'docs/deploy.md',
    'package.json',
    '.ci/templates.sh',
    'localstack/deploy.sh',
    'examples/deploy.yml',
  ];
  const commands = places.flatMap((place) => readFileSync(place, 'utf8').match(/\bcdk [^`\n]+/g) ?? []);

  it('bootstrap a named environment, not those of the examples, which stand for nobody once there is an Operator', () => {
    const bootstraps = commands.filter((command) => /\bbootstrap (?!--qualifier)/.test(command));
    expect(bootstraps.length).toBeGreaterThan(1);
    for (const command of bootstraps) expect(command).toMatch(/aws:\/\/[\w$/]+/);
    expect(listed([config])).toEqual([config]);
    expect(listed([])).toBe(EXAMPLES);
  });

  it('synthesize without options that this CDK lacks', () => {
    expect(commands.filter((command) => /\bsynth\b/.test(command)).length).toBeGreaterThan(1);
    for (const command of commands) expect(command).not.toMatch(/\b(synth|diff)\b.*--all\b/);
  });
});
