import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, it } from 'vitest';
import { OperatorStack } from '../../lib/operator-stack.ts';
import { OPERATORS } from '../../lib/operators/index.ts';
import { emptyBundles } from './synthesized.ts';

it.each(OPERATORS.map((config) => ({ name: config.name, config })))(
  'cdk-nag finds nothing in the stack of $name that no reason stands beside',
  ({ config }) => {
    const app = new App();
    new OperatorStack(app, `smdpf-${config.name}`, config, emptyBundles());
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  },
);
