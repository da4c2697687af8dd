import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../lambdas/console/settings.ts';
import { checkConfig } from '../../lib/check-config.ts';
import type { ConsoleConfig, OperatorConfig } from '../../lib/config.ts';
import { OperatorStack } from '../../lib/operator-stack.ts';
import { emulator } from '../../lib/operators/emulator.ts';
import { exampleMobile } from '../../lib/operators/example-mobile.ts';
import { CLIENT, EMULATED } from '../../localstack/login-provider.ts';
import { LONG } from '../support/effort.ts';
import { ACCOUNT, CONSOLE, REGION, resolved } from './policies.ts';
import { app, emptyBundles, templateOf } from './synthesized.ts';

/** The largest stack, with the console and a further key, as in a rotation. */
const config: OperatorConfig = {
  ...exampleMobile,
  env: { account: ACCOUNT, region: REGION },
  domains: Object.fromEntries(
    Object.entries(exampleMobile.domains).map(([side, domain]) => [
      side,
      { ...domain, certificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/1` },
    ]),
  ) as OperatorConfig['domains'],
  administratorRoleArn: `arn:aws:iam::${ACCOUNT}:role/administrator`,
  furtherKeys: { wrapping: ['two'] },
  console: CONSOLE,
};
describe('a configuration of the console', () => {
  const wrong = (change: Partial<ConsoleConfig>) => () =>
    checkConfig({ ...config, console: { ...CONSOLE, ...change } });

  it('is right as it stands', () => expect(wrong({})).not.toThrow());

  it.each([
    ['over http', { issuer: 'http://login.example' }, 'console.issuer'],
    ['that is no URL', { issuer: 'login.example' }, 'console.issuer'],
    ['that lets nobody in', { viewers: [], administrators: [] }, 'viewers or administrators'],
    ['under the name of the parties', { name: config.domains.parties.name }, 'console.name'],
    [
      'with a certificate of another region',
      { certificateArn: 'arn:aws:acm:us-east-1:111111111111:certificate/1' },
      'console.certificateArn',
    ],
  ])('%s is refused', (_, change, says) => expect(wrong(change)).toThrow(says));
});

it('the emulated stack names the login that localstack/console.ts starts', () => {
  expect(emulator.console).toMatchObject({ ...EMULATED, clientId: CLIENT });
});

// what is in a template with the console is looked at in account-options.test.ts; each stack here takes seconds
describe.runIf(LONG)('a stack with the console', () => {
  it('passes cdk-nag and stays within the 500 resources of a stack, while a key is rotated', () => {
    const stacks = app();
    const stack = new OperatorStack(stacks, 'smdpf-console', config, emptyBundles());
    Validations.of(stacks).addPlugins(new AwsSolutionsChecks(stacks));
    expect(() => stacks.synth()).not.toThrow();
    expect(Object.keys(Template.fromStack(stack).toJSON().Resources).length).toBeLessThan(500);
  });

  it('on an emulator has no name: API Gateway says it in each event', () => {
    const emulated = templateOf({ ...emulator, console: CONSOLE });
    const propertiesOf = (type: string) =>
      Object.values(emulated.findResources(type)).map(({ Properties }) => Properties);
    const api = propertiesOf('AWS::ApiGatewayV2::Api').find(({ Name }) => Name.endsWith('console'));
    expect(api.DisableExecuteApiEndpoint).not.toBe(true);
    const fn = propertiesOf('AWS::Lambda::Function').find(({ FunctionName }) =>
      FunctionName.endsWith('console-serve'),
    );
    const settings = readSettings(String(resolved(fn.Environment.Variables.SMDPF_CONSOLE)));
    expect(settings).not.toHaveProperty('url');
  });
});
