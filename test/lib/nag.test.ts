import { readFileSync } from 'node:fs';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, it } from 'vitest';
import { OperatorStack } from '../../lib/operator-stack.ts';
import { EXAMPLES, OPERATORS } from '../../lib/operators/index.ts';
import { app, emptyBundles } from './synthesized.ts';

it.each([...EXAMPLES, ...OPERATORS].map((config) => ({ name: config.name, config })))(
  'cdk-nag finds nothing in the stack of $name that no reason stands beside',
  ({ config }) => {
    const all = app();
    new OperatorStack(all, `smdpf-${config.name}`, config, emptyBundles());
    Validations.of(all).addPlugins(new AwsSolutionsChecks(all));
    expect(() => all.synth()).not.toThrow();
  },
);

it('the flags that this CDK recommends are set, so that the templates are those of its documents', () => {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: unknown };
  expect(context).toEqual(
    JSON.parse(readFileSync('node_modules/aws-cdk-lib/recommended-feature-flags.json', 'utf8')),
  );
});
