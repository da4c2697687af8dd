import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import {
  type ILambdaDeploymentConfig,
  LambdaApplication,
  LambdaDeploymentConfig,
  LambdaDeploymentGroup,
} from 'aws-cdk-lib/aws-codedeploy';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { FunctionPath } from '../shared/gsma/functions/index.ts';
import { acknowledge } from './acknowledge.ts';
import type { CanaryMinutes, OperatorConfig } from './config.ts';
import { type FunctionName, functionNames } from './functions.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

/**
 * The functions that a release is tried on: each step of the flow has one, and whatever breaks the code that all share breaks
 * one of them. All twenty-eight would take 84 resources more, and a stack has 500 at most.
 */
export const CANARIES = [
  'es2f.prepareProfiles',
  'esed1.registerEuiccData',
  'esbpp.requestBpp',
  'esbpp.getBppBatch',
  'esbpp.sendProfileLoadingReport',
  'es9plus.handleNotification',
] as const satisfies readonly (FunctionPath & FunctionName)[];

const CONFIGS: Readonly<Record<CanaryMinutes, ILambdaDeploymentConfig>> = {
  5: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
  10: LambdaDeploymentConfig.CANARY_10PERCENT_10MINUTES,
  15: LambdaDeploymentConfig.CANARY_10PERCENT_15MINUTES,
  30: LambdaDeploymentConfig.CANARY_10PERCENT_30MINUTES,
};

export const canaryMinutes = Object.keys(CONFIGS).map(Number);

/** Gives the canaries an alias, by which the API calls them from then on: `fn.callee`. */
export function giveAliases(functions: Readonly<Record<FunctionName, SmdpfFunction>>): void {
  for (const name of CANARIES) functions[name].giveAlias();
}

/**
 * A release takes a tenth of the calls of its canaries first, for some minutes. Where an alarm rings meanwhile, CodeDeploy
 * shifts them back, the deployment fails, and CloudFormation takes back the rest; the other functions, those of tasks and
 * upkeep among them, get the new code only once the canaries have held.
 */
export class Canary extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { name, canary }: OperatorConfig,
    functions: Readonly<Record<FunctionName, SmdpfFunction>>,
    alarms: readonly Alarm[],
  ) {
    super(scope, id);
    const application = new LambdaApplication(this, 'Application', { applicationName: `${name}-smdpf` });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('codedeploy.amazonaws.com') });
    acknowledge(
      role,
      'IAM4',
      'what CodeDeploy needs to shift an alias; AWS keeps it up to date',
      'Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited',
    );
    const aliases: Alias[] = [];
    for (const path of CANARIES) {
      const alias = functions[path].giveAlias();
      aliases.push(alias);
      new LambdaDeploymentGroup(this, path.replace('.', '-'), {
        application,
        alias,
        role,
        deploymentConfig: CONFIGS[canary!.minutes],
        alarms: [...alarms],
        autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
      });
    }
    for (const other of functionNames)
      if (!CANARIES.some((path) => path === other)) functions[other].function.node.addDependency(...aliases);
  }
}
