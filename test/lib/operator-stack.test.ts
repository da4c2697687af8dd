import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { signsPerTask } from '../../lib/config.ts';
import { functionNames } from '../../lib/functions.ts';
import { EMULATED, EXAMPLES, OPERATORS } from '../../lib/operators/index.ts';
import { METRICS, type MetricRow } from '../../shared/events/metrics.ts';
import { WRITTEN_ONCE } from '../../shared/service/records/object-names.ts';
import { UPKEEP } from '../../shared/upkeep.ts';
import { actionsOf, emptyBundles, type Statement, statementsOf, templateOf } from './synthesized.ts';

const bundles = emptyBundles();
const all = [...EXAMPLES, ...OPERATORS].map((config) => ({
  name: config.name,
  config,
  template: templateOf(config, bundles),
}));
const [mobile] = all as [(typeof all)[number], ...typeof all];

const propertiesOf = (template: (typeof all)[number]['template'], type: string) =>
  Object.values(template.findResources(type)).map(({ Properties }) => Properties as Record<string, unknown>);

describe.each(all)('the stack of $name', ({ config, template }) => {
  it('allows no wildcard action to anybody', () => {
    const allowed = statementsOf(template).filter(({ statement }) => statement.Effect === 'Allow');
    expect(allowed.length).toBeGreaterThan(100);
    const wild = allowed.filter(({ statement }) =>
      actionsOf(statement).some((action) => action.includes('*')),
    );
    expect(wild).toEqual([]);
  });

  it('names what a role may touch; only tracing has no names to give', () => {
    const wide = statementsOf(template)
      .filter(({ type, statement }) => type === 'AWS::IAM::Policy' && statement.Resource === '*')
      .flatMap(({ statement }) => actionsOf(statement));
    const tracing = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
    const logDelivery = wide.filter((action) => action.startsWith('logs:'));
    expect(new Set(wide.filter((action) => !logDelivery.includes(action)))).toEqual(
      new Set([...tracing, 'xray:GetSamplingRules', 'xray:GetSamplingTargets']),
    );
  });

  it('runs by the clock what the table of upkeep says, and nothing else', () => {
    const rules = propertiesOf(template, 'AWS::Events::Rule');
    const rates = rules.flatMap(({ ScheduleExpression }) => ScheduleExpression ?? []);
    const wanted = Object.values(UPKEEP).flatMap(({ aws }) => {
      if ('why' in aws) return [];
      return 'everyMinutes' in aws ? aws.everyMinutes : config[aws.minutesOf];
    });
    const rate = (minutes: number) => {
      if (minutes % 60 !== 0) return `rate(${minutes} minutes)`;
      return minutes === 60 ? 'rate(1 hour)' : `rate(${minutes / 60} hours)`;
    };
    expect(rates.toSorted()).toEqual(wanted.map(rate).sort());
  });

  it('lets nobody call the APIs past their domains', () => {
    const apis = propertiesOf(template, 'AWS::ApiGatewayV2::Api');
    expect(apis).toHaveLength(2);
    for (const api of apis) expect(api.DisableExecuteApiEndpoint).toBe(true);
  });

  it('asks parties for client certificates and the field for none, both by TLS 1.2', () => {
    const domains = propertiesOf(template, 'AWS::ApiGatewayV2::DomainName');
    const byName = (name: string) => domains.find(({ DomainName }) => DomainName === name);
    expect(byName(config.domains.parties.name)).toMatchObject({
      MutualTlsAuthentication: { TruststoreUri: expect.anything() },
    });
    expect(byName(config.domains.field.name)?.MutualTlsAuthentication).toBeUndefined();
    for (const { DomainNameConfigurations } of domains)
      expect(DomainNameConfigurations).toMatchObject([{ SecurityPolicy: 'TLS_1_2' }]);
  });

  it('has a function for every name, on Node 24 and arm64, traced, with logs that end', () => {
    const functions = propertiesOf(template, 'AWS::Lambda::Function');
    expect(functions).toHaveLength(functionNames.length);
    for (const fn of functions) {
      expect(fn).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
    }
    for (const log of propertiesOf(template, 'AWS::Logs::LogGroup')) {
      expect(log.RetentionInDays).toBe(config.retention.logDays);
      expect(log.KmsKeyId).toBeDefined();
    }
  });

  it('keeps the ledger: restorable to any second, encrypted, not to be deleted', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        TableName: `${config.name}-smdpf-ledger`,
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: config.established === true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: Match.anyValue() },
      },
    });
  });

  it('keeps nothing of a destroyed PPK: no recovery, no stream, no backup', {
    tags: ['I5', 'GENS06'],
  }, () => {
    const ppks = propertiesOf(template, 'AWS::DynamoDB::Table').find(
      ({ TableName }) => TableName === `${config.name}-smdpf-ppks`,
    );
    expect(ppks).toMatchObject({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false } });
    expect(ppks).not.toHaveProperty('StreamSpecification');
    expect(ppks).not.toHaveProperty('KinesisStreamSpecification');
    template.resourceCountIs('AWS::Backup::BackupPlan', 0);
    const backing = statementsOf(template).filter(({ statement }) =>
      actionsOf(statement).some(
        (action) => /backup|export|stream/i.test(action) && action.startsWith('dynamodb:'),
      ),
    );
    expect(backing).toEqual([]);
  });

  it('keeps the vault: encrypted, versioned, lockable, closed to the public and to plain HTTP', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        ObjectLockEnabled: true,
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
          ],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
    const denied = statementsOf(template).filter(
      ({ type, statement }) => type === 'AWS::S3::BucketPolicy' && statement.Effect === 'Deny',
    );
    expect(denied.some(({ statement }) => JSON.stringify(statement).includes('aws:SecureTransport'))).toBe(
      true,
    );
    const once = denied.find(({ statement }) => statement.Sid === 'WrittenOnce')?.statement;
    expect(once?.Condition).toEqual({ Null: { 's3:if-none-match': 'true' } });
    for (const names of WRITTEN_ONCE) expect(JSON.stringify(once?.Resource)).toContain(names);
  });

  it('lets an account look after its keys and not use them', { tags: ['GENS05', 'INO1'] }, () => {
    const USE = ['kms:Sign', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:Encrypt'];
    const usable = statementsOf(template).filter(
      ({ type, statement }) =>
        type === 'AWS::KMS::Key' &&
        JSON.stringify(statement.Principal ?? '').includes(':root') &&
        actionsOf(statement).some((action) => USE.includes(action)),
    );
    for (const { statement } of usable)
      expect(statement.Condition).toMatchObject({ StringEquals: { 'kms:ViaService': expect.anything() } });
    expect(usable).toHaveLength(2); // the two keys of the stores, through their services alone
  });

  it('lets only those sign as DPpb who bind', { tags: ['GENS05', 'DPFF03'] }, () => {
    const signs = ({ type, statement }: { type: string; statement: Statement }) =>
      type === 'AWS::IAM::Policy' && actionsOf(statement).includes('kms:Sign');
    const bindingKeys = Object.keys(template.findResources('AWS::KMS::Key')).filter((id) =>
      id.startsWith('KeysBinding'),
    );
    expect(bindingKeys).toHaveLength(config.bindingKeys.length);
    const signers = statementsOf(template)
      .filter(
        (one) => signs(one) && bindingKeys.some((id) => JSON.stringify(one.statement.Resource).includes(id)),
      )
      .map(({ id }) => id);
    expect(new Set(signers.map((id) => id.replace(/RoleDefaultPolicy.*/, '')))).toEqual(
      new Set(['esbpprequestBpp', 'jobsrunTask']),
    );
  });

  it('lets a task sign no faster than its part of the quota', () => {
    const functions = template.findResources('AWS::Lambda::Function');
    const [, task] = Object.entries(functions).find(([logical]) => logical.startsWith('jobsrunTask'))!;
    const runtime = JSON.stringify(task.Properties.Environment.Variables.SMDPF_RUNTIME);
    expect(runtime).toContain(
      `\\"awskms\\":{\\"signsPerSecond\\":${signsPerTask(config)},\\"interactiveShare\\":0}`,
    );
  });

  it('gives permission and configuration together', () => {
    const functions = template.findResources('AWS::Lambda::Function');
    const configOf = (id: string) => {
      const fn = Object.entries(functions).find(([logical]) => logical.startsWith(id))![1];
      return JSON.stringify(fn.Properties.Environment.Variables.SMDPF_RUNTIME);
    };
    expect(configOf('es2fgetOrderStatus')).toContain('\\"vault\\":\\"none:\\"');
    expect(configOf('es2fgetOrderStatus')).toContain('\\"dispatcher\\":\\"none:\\"');
    expect(configOf('esbpprequestBpp')).toContain('stepfunctions:');
    expect(configOf('esbppsendProfileLoadingReport')).toContain('\\"notifier\\":\\"sqs:');
    expect(configOf('esbppsendProfileLoadingReport')).toContain('\\"ppks\\":\\"none:\\"');
  });

  it('gives up a callback into a dead-letter queue, both encrypted and closed to plain HTTP', () => {
    const queues = propertiesOf(template, 'AWS::SQS::Queue');
    expect(queues).toHaveLength(2);
    for (const queue of queues) expect(queue.KmsMasterKeyId).toBeDefined();
    expect(queues.filter(({ RedrivePolicy }) => RedrivePolicy !== undefined)).toHaveLength(1);
    template.resourceCountIs('AWS::SQS::QueuePolicy', 2);
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('runs a distributed map within the quota of KMS, over names, and asks the ledger at the end', () => {
    const [machine] = propertiesOf(template, 'AWS::StepFunctions::StateMachine');
    const text = JSON.stringify(machine?.DefinitionString);
    expect(text).toContain(`\\"MaxConcurrency\\":${config.quotas.tasksAtOnce}`);
    expect(text).toContain('\\"Mode\\":\\"DISTRIBUTED\\"');
    expect(text).toContain('\\"ToleratedFailurePercentage\\":100');
    expect(text).toContain('\\"Key.$\\":\\"$.tasks\\"');
    const { signsPerSecond, interactiveShare, tasksAtOnce } = config.quotas;
    expect(signsPerTask(config) * tasksAtOnce).toBeLessThanOrEqual(signsPerSecond * (1 - interactiveShare));
  });

  it('raises alarms on figures that its Lambdas tell, of this Operator alone', () => {
    const told = propertiesOf(template, 'AWS::CloudWatch::Alarm').filter(
      ({ Namespace }) => Namespace === 'smdpf',
    );
    const names = Object.values<MetricRow>(METRICS).flatMap(({ cloudWatch }) =>
      typeof cloudWatch === 'string'
        ? [cloudWatch]
        : 'names' in cloudWatch
          ? Object.values(cloudWatch.names)
          : [],
    );
    for (const { MetricName, Dimensions } of told) {
      expect(names).toContain(MetricName);
      expect(Dimensions).toEqual([{ Name: 'service', Value: config.name }]);
    }
    const bounds = told.map(({ AlarmName, ComparisonOperator, Threshold }) => [
      String(AlarmName).replace(`${config.name}-smdpf-`, ''),
      ComparisonOperator === 'LessThanThreshold' ? '<' : '>',
      Threshold,
    ]);
    expect(bounds).toEqual(
      expect.arrayContaining([
        ['faults', '>', config.alarms.faults],
        ['not-ready', '<', 1],
        ['one-time-keys-short', '>', 0],
        ['keys-slow', '>', 0],
        ['work-stuck', '>', 360 * 60],
      ]),
    );
    const { stock, refused } = config.alarms;
    const named = (alarm: string) => bounds.filter(([name]) => name === alarm);
    expect(named('stock-low')).toEqual(stock === undefined ? [] : [['stock-low', '<', stock]]);
    expect(named('items-refused')).toEqual(refused === undefined ? [] : [['items-refused', '>', refused]]);
  });

  it('has an entry of the runbook for every alarm, and tells somebody', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    const alarms = propertiesOf(template, 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(10);
    for (const { AlarmName, AlarmDescription, AlarmActions } of alarms) {
      const name = String(AlarmName)
        .replace(`${config.name}-smdpf-`, '')
        .replace(/^stopped-.*/, 'stopped');
      expect(AlarmDescription).toContain(`docs/runbook.md#${name}`);
      const [, entry = ''] = runbook.split(`\n## ${name}\n`);
      for (const part of ['What it means', 'Look', 'Do'])
        expect(entry.split('\n## ')[0], `${name} in the runbook`).toContain(`**${part}.**`);
      expect(AlarmActions).toHaveLength(1);
    }
  });
});

describe('a rotation of the wrapping key', () => {
  const { config } = mobile;
  const template = templateOf({ ...config, furtherKeys: { wrapping: ['2027'], intake: ['2027'] } }, bundles);
  const allowed = (action: string, key: string) =>
    statementsOf(template)
      .filter(
        ({ type, statement }) =>
          type === 'AWS::IAM::Policy' &&
          actionsOf(statement).includes(action) &&
          JSON.stringify(statement.Resource).includes(key),
      )
      .map(({ id }) => id.replace(/RoleDefaultPolicy.*/, ''));

  it('finds every role that may use the old key allowed to use the new one', () => {
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'])
      expect(allowed(action, 'KeysFurtherwrapping2027')).toEqual(allowed(action, 'KeysWrapping'));
    expect(allowed('kms:Decrypt', 'KeysFurtherintake2027')).toEqual(allowed('kms:Decrypt', 'KeysIntake'));
  });

  it('lets one function wrap data keys that exist and make none', () => {
    expect(allowed('kms:Encrypt', 'KeysFurtherwrapping2027')).toEqual(['keysrewrap']);
    expect(allowed('kms:GenerateDataKey', 'KeysFurtherwrapping2027')).not.toContain('keysrewrap');
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(5 minutes)' });
  });

  it('tells the URI that smdpf keys rotate takes', () => {
    const outputs = Object.entries(template.findOutputs('*')).filter(([name]) =>
      name.startsWith('FurtherKey'),
    );
    expect(outputs.map(([name]) => name)).toEqual(['FurtherKeywrapping2027', 'FurtherKeyintake2027']);
    for (const [, { Value }] of outputs) expect(JSON.stringify(Value)).toContain('awskms:key-id=');
  });
});

it('the stack of an Operator takes a restored table in the place of its own, which it keeps', () => {
  const template = templateOf({ ...mobile.config, ledgerTable: 'restored-2' }, bundles);
  const functions = propertiesOf(template, 'AWS::Lambda::Function');
  for (const { Environment } of functions as { Environment: { Variables: object } }[])
    expect(JSON.stringify(Environment.Variables)).toContain('dynamodb:restored-2');
  const touched = statementsOf(template)
    .filter(
      ({ type, statement }) =>
        type === 'AWS::IAM::Policy' && actionsOf(statement).includes('dynamodb:PutItem'),
    )
    .map(({ statement }) => JSON.stringify(statement.Resource));
  const ledgers = touched.filter((resource) => !resource.includes('Ppks'));
  expect(ledgers.length).toBeGreaterThanOrEqual(functionNames.length);
  for (const resource of ledgers) expect(resource).toContain('table/restored-2');
  template.resourceCountIs('AWS::DynamoDB::Table', 2);
});

it('the stack of an Operator captures neither events, answers, errors nor requests in logs and traces', () => {
  for (const fn of propertiesOf(mobile.template, 'AWS::Lambda::Function'))
    expect(fn.Environment).toMatchObject({
      Variables: {
        POWERTOOLS_SERVICE_NAME: mobile.config.name,
        POWERTOOLS_LOGGER_LOG_EVENT: 'false',
        POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
        POWERTOOLS_TRACER_CAPTURE_ERROR: 'false',
        POWERTOOLS_TRACER_CAPTURE_HTTPS_REQUESTS: 'false',
      },
    });
});

it('the stack of an Operator tells every function how often a party may call', () => {
  const quotas = { ...mobile.config.quotas, callsOfParty: { perSecond: 7, burst: 70 } };
  const functions = propertiesOf(templateOf({ ...mobile.config, quotas }, bundles), 'AWS::Lambda::Function');
  expect(functions).toHaveLength(functionNames.length);
  for (const { Environment } of functions)
    expect(JSON.stringify(Environment)).toMatch(/rateLimit[^}]*perSecond[^}]*7[^}]*burst[^}]*70/);
});

it('the stack of an Operator opens default endpoints for an emulator alone', () => {
  const apis = propertiesOf(templateOf(EMULATED, bundles), 'AWS::ApiGatewayV2::Api');
  for (const api of apis) expect(api.DisableExecuteApiEndpoint).toBe(false);
});
