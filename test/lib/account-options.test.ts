import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { StackDescription } from '../../cli/aws/stack-description.ts';
import { CONSOLE_VARIABLE, readSettings } from '../../lambdas/console/settings.ts';
import { CANARIES } from '../../lib/canary.ts';
import { functionNames, LAMBDAS, resourceName } from '../../lib/functions.ts';
import { EXAMPLES } from '../../lib/operators/index.ts';
import { PROVISIONED_GROUPS, provisionedOf } from '../../lib/provisioned.ts';
import { ACCOUNT, arnOf, byResource, byRole, CONSOLE, idOf, REGION, resolved } from './policies.ts';
import { emptyBundles, templateOf } from './synthesized.ts';

/** What an account asks of who deploys, a release that is tried first, and what `smdpf aws doctor` is told and allowed. One stack with every option. */
const [mobile] = EXAMPLES as [(typeof EXAMPLES)[0]];
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/boundary`;
const config = {
  ...mobile,
  env: { account: ACCOUNT, region: REGION },
  account: { permissionsBoundaryArn: BOUNDARY, bootstrapQualifier: 'smdpf1' },
  tags: { team: 'esim' },
  provisionedConcurrency: { justInTime: 8, field: 2 },
  console: CONSOLE,
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

  it('finds every rule by the beginning of its name, which CloudFormation would shorten', () => {
    const names = propertiesOf('AWS::Events::Rule').map(({ Name }) => String(Name));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(name).toMatch(new RegExp(`^${config.name}-smdpf-[\\w-]{1,30}$`));
    expect(new Set(names).size).toBe(names.length);
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
    for (const list of ['ListServiceQuotas', 'ListAWSDefaultServiceQuotas'])
      expect(ask(`servicequotas:${list}`, '*'), list).toBe('allowed');
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

const resources = template.toJSON().Resources as Record<
  string,
  {
    Type: string;
    DependsOn?: string[];
    UpdatePolicy?: Record<string, unknown>;
    Properties: Record<string, unknown>;
  }
>;
const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
const idOfFunction = (name: (typeof functionNames)[number]) =>
  ofType('AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.FunctionName === `${config.name}-${resourceName(name)}`,
  )![0];
const aliasOf = (name: (typeof CANARIES)[number]) =>
  ofType('AWS::Lambda::Alias').find(
    ([, { Properties }]) => resolved(Properties.FunctionName) === arnOf(idOfFunction(name)),
  )!;

describe('a release', () => {
  it('is called by an alias where it is tried, and the API may call nothing else of it', () => {
    const integrations = ofType('AWS::ApiGatewayV2::Integration').map(([, { Properties }]) =>
      JSON.stringify(resolved(Properties.IntegrationUri)),
    );
    const permitted = ofType('AWS::Lambda::Permission').map(([, { Properties }]) =>
      resolved(Properties.FunctionName),
    );
    for (const name of CANARIES) {
      const [id, { Properties }] = aliasOf(name);
      expect(Properties.Name).toBe('live');
      expect(
        integrations.filter((uri) => uri.includes(arnOf(id))),
        name,
      ).toHaveLength(1);
      expect(
        integrations.filter((uri) => uri.includes(arnOf(idOfFunction(name)))),
        name,
      ).toHaveLength(0);
      expect(permitted).toContain(arnOf(id));
      expect(permitted).not.toContain(`${arnOf(idOfFunction(name))}.Arn`);
      expect(permitted).not.toContain(arnOf(idOfFunction(name)));
    }
  });

  it('has environments ready behind the same alias, of the functions whose group asks for them', () => {
    const ready = new Map(
      ofType('AWS::Lambda::Alias').map(([, { Properties }]) => [
        resolved(Properties.FunctionName),
        Properties.ProvisionedConcurrencyConfig,
      ]),
    );
    const readyOf = (name: (typeof functionNames)[number]) => ready.get(arnOf(idOfFunction(name)));
    for (const name of PROVISIONED_GROUPS.justInTime)
      expect(readyOf(name), name).toEqual({ ProvisionedConcurrentExecutions: 8 });
    expect(readyOf('es9plus.handleNotification')).toEqual({ ProvisionedConcurrentExecutions: 2 });
    for (const name of CANARIES)
      if (!provisionedOf(config).has(name)) expect(readyOf(name), name).toBeUndefined();
    expect(ready.size).toBe(CANARIES.length);
  });

  it('takes a tenth of the calls, and all of them only if no alarm has rung', () => {
    const groups = ofType('AWS::CodeDeploy::DeploymentGroup');
    expect(groups).toHaveLength(CANARIES.length);
    const alarmName = (name: string) => `${config.name}-smdpf-${name}`;
    const alarms = new Map(
      ofType('AWS::CloudWatch::Alarm').map(([id, { Properties }]) => [arnOf(id), Properties]),
    );
    for (const [, { Properties }] of groups) {
      expect(Properties).toMatchObject({
        DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent10Minutes',
        DeploymentStyle: { DeploymentType: 'BLUE_GREEN', DeploymentOption: 'WITH_TRAFFIC_CONTROL' },
        AutoRollbackConfiguration: {
          Enabled: true,
          Events: expect.arrayContaining(['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM']),
        },
      });
      const { Enabled, Alarms } = resolved(Properties.AlarmConfiguration) as {
        Enabled: boolean;
        Alarms: { Name: string }[];
      };
      expect(Enabled).toBe(true);
      expect(new Set(Alarms.map(({ Name }) => alarms.get(Name)?.AlarmName))).toEqual(
        new Set(['release-faults', 'api-failures', 'field-failures'].map(alarmName)),
      );
    }
    const faults = [...alarms.values()].find(({ AlarmName }) => AlarmName === alarmName('release-faults'));
    expect(faults).toMatchObject({ Period: 60, Threshold: config.canary!.faults, MetricName: 'Faults' });
  });

  it('is shifted by CodeDeploy, whose role may', () => {
    for (const name of CANARIES) {
      const [, { UpdatePolicy }] = aliasOf(name);
      const { ApplicationName, DeploymentGroupName } = resolved(
        UpdatePolicy?.CodeDeployLambdaAliasUpdate,
      ) as Record<string, string>;
      expect(ofType('AWS::CodeDeploy::Application').map(([id]) => arnOf(id))).toContain(ApplicationName);
      const group = ofType('AWS::CodeDeploy::DeploymentGroup').find(
        ([id]) => arnOf(id) === DeploymentGroupName,
      );
      const role = resolved(group?.[1].Properties.ServiceRoleArn);
      const [, { Properties }] = ofType('AWS::IAM::Role').find(([id]) => arnOf(id) === role)!;
      expect(JSON.stringify(resolved(Properties.ManagedPolicyArns))).toContain(
        'AWSCodeDeployRoleForLambdaLimited',
      );
      expect(JSON.stringify(Properties.AssumeRolePolicyDocument)).toContain('codedeploy.amazonaws.com');
    }
  });

  it('reaches tasks and the other functions once it has held, and fits into a stack', () => {
    const aliases = CANARIES.map((name) => aliasOf(name)[0]);
    const others = functionNames.filter((name) => !CANARIES.some((canary) => canary === name));
    expect(others).toContain('jobs.runTask');
    for (const name of others)
      expect(resources[idOfFunction(name)]?.DependsOn, name).toEqual(expect.arrayContaining(aliases));
    // a rotation of every key and a second CI have room beside it
    const ofOthers = Object.keys(resources).filter((id) => /^console|^AdministratorKeys/i.test(id)).length;
    expect(Object.keys(resources).length - ofOthers).toBeLessThan(480);
    const count = (of: object) =>
      Object.keys(templateOf({ ...mobile, ...of } as typeof mobile).toJSON().Resources).length;
    const plain = count({});
    const keys = { furtherKeys: { wrapping: ['two'], delivery: ['two'], intake: ['two'] } };
    expect(readFileSync('docs/deploy.md', 'utf8')).toContain(
      `has ${plain} with these six, a rotation of all keys adds six, and [the console](console.md#on-aws) 13.`,
    );
    expect([count(keys) - plain, count({ console: CONSOLE, env: config.env }) - plain]).toEqual([6, 13]);
    // a rotation of a key adds two, and a stack has 500 at most
    expect(Object.keys(resources).length).toBeLessThan(500 - 2);
  });
});

describe('the console of a stack', () => {
  const lambda = () =>
    ofType('AWS::Lambda::Function').find(([, { Properties }]) =>
      String(Properties?.FunctionName).endsWith('console-serve'),
    )!;

  it('has no bucket, and so none that could be public: its pages are in the Lambda', () => {
    expect(ofType('AWS::S3::Bucket').filter(([id]) => /console/i.test(id))).toEqual([]);
    expect(ofType('AWS::CloudFront::Distribution')).toEqual([]);
  });

  it('answers under its own name, by TLS 1.2 and without client certificates, and under no other', () => {
    const apis = propertiesOf('AWS::ApiGatewayV2::Api');
    const api = apis.find(({ Name }) => Name === `${config.name}-smdpf-console`);
    expect(api?.DisableExecuteApiEndpoint).toBe(true);
    const own = propertiesOf('AWS::ApiGatewayV2::DomainName').find(
      ({ DomainName }) => DomainName === config.console.name,
    );
    expect(own).toMatchObject({ DomainNameConfigurations: [{ SecurityPolicy: 'TLS_1_2' }] });
    expect(own).not.toHaveProperty('MutualTlsAuthentication');
    expect(template.findOutputs('ConsoleDomainTarget')).not.toEqual({});
  });

  it('has its domain name made after the two others, since API Gateway makes about one in 30 s', () => {
    const domain = (of: string) => idOf(template, 'AWS::ApiGatewayV2::DomainName', of);
    expect(resources[domain('Console')]?.DependsOn).toContain(domain('Field'));
  });

  it('is slow for a flood, and logs calls without what follows a path, where a code of the provider may be', () => {
    const { Properties } = resources[idOf(template, 'AWS::ApiGatewayV2::Stage', 'Console')]!;
    expect(Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
    });
    expect(JSON.stringify(Properties?.AccessLogSettings)).not.toMatch(/path|query/i);
  });

  it('knows the login of the Operator, and no secret', () => {
    const { Variables } = lambda()[1].Properties.Environment as { Variables: Record<string, unknown> };
    expect(readSettings(String(resolved(Variables[CONSOLE_VARIABLE])))).toMatchObject({
      url: `https://${config.console.name}`,
      oidc: { issuer: config.console.issuer, clientId: 'smdpf-console', rolesClaim: 'groups' },
    });
    expect(JSON.stringify(Variables)).not.toMatch(/secret/i);
  });

  it('keeps sessions in a table of its own, which forgets them, and which no other Lambda reaches', () => {
    const table = propertiesOf('AWS::DynamoDB::Table').find(
      ({ TableName }) => TableName === `${config.name}-smdpf-console-sessions`,
    );
    expect(table).toMatchObject({
      TimeToLiveSpecification: { AttributeName: 'until', Enabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    });
    const reach = ofType('AWS::IAM::Policy').filter(([, { Properties }]) =>
      JSON.stringify(Properties?.PolicyDocument).includes('ConsoleSessions'),
    );
    expect(reach.map(([id]) => id)).toEqual([expect.stringMatching(/^consoleserve/)]);
  });

  it('has the rights of functions for people, and neither binds nor asks for a key of a signature of profiles', () => {
    const role = idOf(template, 'AWS::IAM::Role', 'consoleserve');
    const binding = ofType('AWS::KMS::Key').filter(([id]) => /Binding/.test(id));
    expect(binding).toHaveLength(config.bindingKeys.length);
    for (const [id] of binding)
      expect(byRole(template, role, { action: 'kms:Sign', resource: arnOf(id) }), id).toBe('silent');
    expect(LAMBDAS['console.serve'].keys).not.toContain('binding');
  });
});
