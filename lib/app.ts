import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readSite } from '../console/server/site.ts';
import { emulatedPki } from '../localstack/pki.ts';
import { bundleFunctions } from './bundle.ts';
import { OperatorStack } from './operator-stack.ts';
import { EMULATED, listed } from './operators/index.ts';

/**
 * The CDK application: one stack per Operator (`cdk synth`, `cdk deploy smdpf-NAME`), the examples where none is listed;
 * with `-c target=emulator` the one stack for an emulator of AWS instead.
 */
const app = new App();
const emulator = app.node.tryGetContext('target') === 'emulator';
// an emulator weighs nothing of what the rules are about
if (!emulator) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
const bundles = await bundleFunctions(
  emulator ? 'emulator' : 'aws',
  join(import.meta.dirname, '..', 'cdk.out', emulator ? 'bundles-emulator' : 'bundles'),
);
const configs = emulator ? [{ ...EMULATED, callbackCa: (await emulatedPki()).caCertificate }] : listed();
for (const config of configs) {
  if (config.console !== undefined && (await readSite()) === undefined)
    throw new Error(`${config.name} has a console, and its pages are not built: npm run console:build`);
  new OperatorStack(app, `smdpf-${config.name}`, config, bundles);
}
app.synth();
