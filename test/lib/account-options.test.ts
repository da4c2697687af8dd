import { describe, expect, it } from 'vitest';
import type { StackDescription } from '../../cli/aws/stack-description.ts';
import { EXAMPLES } from '../../lib/operators/index.ts';
import { ACCOUNT, arnOf, byResource, idOf, REGION, resolved } from './policies.ts';
import { emptyBundles, templateOf } from './synthesized.ts';

/** What an account asks of who deploys, and what `smdpf aws doctor` is told and allowed. One stack with every option. */
const [mobile] = EXAMPLES as [(typeof EXAMPLES)[0]];
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/boundary`;
const config = {
  ...mobile,
  env: { account: ACCOUNT, region: REGION },
  account: { permissionsBoundaryArn: BOUNDARY, bootstrapQualifier: 'smdpf1' },
  tags: { team: 'esim' },
};
const template = templateOf(config, emptyBundles());
const propertiesOf = (type: string) =>
  Object.values(template.findResources(type)).map(({ Properties }) => Properties);

describe('the account of a stack', () => {
  it('bounds every role', () => {
    const roles = propertiesOf('AWS::IAM::Role');
    expect(roles.length).toBeGreaterThan(30);
    for (const role of roles) expect(role.PermissionsBoundary).toBe(BOUNDARY);
  });

  it('has a bootstrap of another qualifier', () => {
    for (const { Code } of propertiesOf('AWS::Lambda::Function'))
      expect(resolved(Code.S3Bucket)).toBe(`cdk-smdpf1-assets-${ACCOUNT}-${REGION}`);
  });

  it('finds tags on what costs', () => {
    for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::Lambda::Function', 'AWS::KMS::Key'])
      for (const { Tags } of propertiesOf(type))
        expect(Tags, type).toEqual(
          expect.arrayContaining([
            { Key: 'team', Value: 'esim' },
            { Key: 'smdpf:operator', Value: config.name },
          ]),
        );
  });

  it('is told by mail before the budget is spent', () => {
    const budget = propertiesOf('AWS::Budgets::Budget')[0]!;
    expect(budget.Budget.BudgetLimit).toEqual({ Amount: mobile.budget?.monthlyUsd, Unit: 'USD' });
    for (const { Subscribers } of budget.NotificationsWithSubscribers)
      expect(Subscribers).toEqual([{ SubscriptionType: 'EMAIL', Address: mobile.alarms.email }]);
  });
});

describe('smdpf aws doctor', () => {
  const description = JSON.parse(
    String(resolved(template.findOutputs('Description').Description?.Value)),
  ) as StackDescription;

  it('is told every alias with its key, and an alarm that there is', () => {
    const aliases = propertiesOf('AWS::KMS::Alias').map(({ AliasName, TargetKeyId }) => [
      AliasName,
      resolved(TargetKeyId),
    ]);
    expect(aliases.length).toBeGreaterThan(5);
    expect(description.aliases).toEqual(Object.fromEntries(aliases));
    const alarms = propertiesOf('AWS::CloudWatch::Alarm').map(({ AlarmName }) => AlarmName);
    expect(alarms).toContain(description.testAlarm);
    expect(description.topic).toBe(arnOf(idOf(template, 'AWS::SNS::Topic', 'Watch')));
  });

  it('is told which functions have a part of the concurrency', () => {
    const reserved = propertiesOf('AWS::Lambda::Function').flatMap(
      ({ FunctionName, ReservedConcurrentExecutions: part }) =>
        part === undefined ? [] : [[FunctionName, part]],
    );
    expect(reserved.length).toBeGreaterThan(1);
    expect(description.quotas.reserved).toEqual(Object.fromEntries(reserved));
    // what is left is for the parties, whom neither tasks nor a flood from the field can starve
    const taken = reserved.reduce((sum, [, part]) => sum + Number(part), 0);
    expect(config.quotas.lambdaConcurrency - taken).toBeGreaterThanOrEqual(100);
  });

  it('may look, ring one alarm and hear it, and nothing more', () => {
    const id = idOf(template, 'AWS::IAM::ManagedPolicy', 'Doctor');
    const ask = (action: string, resource: string) =>
      byResource(template, id, { principal: '', action, resource });
    const arn = (service: string, name: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${name}`;
    const storage = arnOf(idOf(template, 'AWS::KMS::Key', 'StorageKey'));
    expect(ask('kms:DescribeKey', storage)).toBe('allowed');
    expect(ask('kms:Decrypt', storage)).toBe('silent');
    expect(ask('cloudwatch:SetAlarmState', arn('cloudwatch', `alarm:${description.testAlarm}`))).toBe(
      'allowed',
    );
    expect(ask('cloudwatch:SetAlarmState', arn('cloudwatch', 'alarm:another'))).toBe('silent');
    expect(ask('sns:Subscribe', description.topic)).toBe('allowed');
    expect(ask('sqs:CreateQueue', arn('sqs', `${config.name}-smdpf-doctor-1`))).toBe('allowed');
    expect(ask('sqs:DeleteQueue', arn('sqs', 'another'))).toBe('silent');
    expect(
      ask('apigateway:GET', `arn:aws:apigateway:${REGION}::/domainnames/${config.domains.parties.name}`),
    ).toBe('allowed');
    expect(
      ask(
        'lambda:GetFunctionConcurrency',
        arn('lambda', `function:${Object.keys(description.quotas.reserved)[0]}`),
      ),
    ).toBe('allowed');
  });
});
