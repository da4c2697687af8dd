import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { UPKEEP } from '../shared/upkeep.ts';
import type { OperatorConfig } from './config.ts';
import type { BackgroundName } from './functions.ts';
import { resourceName } from './functions.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

/** What runs by the clock: a rule for each row of the table of upkeep that has a Lambda. */
export class Schedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    config: OperatorConfig,
    functions: Readonly<Record<BackgroundName, SmdpfFunction>>,
  ) {
    super(scope, id);
    for (const { lambda, minutes } of scheduledFunctions(config)) {
      new Rule(this, resourceName(lambda), {
        // a name that CloudFormation makes up shortens a long stack's, and `smdpf aws doctor` would not find it
        ruleName: `${config.name}-smdpf-${resourceName(lambda)}`,
        schedule: Schedule.rate(Duration.minutes(minutes)),
        targets: [new LambdaFunction(functions[lambda].function, { retryAttempts: 0 })],
      });
    }
  }
}

/** Every Lambda that the clock starts, and how often. */
export function scheduledFunctions(
  config: Pick<OperatorConfig, 'crlFetchMinutes'>,
): { readonly lambda: BackgroundName; readonly minutes: number }[] {
  return Object.values(UPKEEP).flatMap(({ aws }) => {
    if ('why' in aws) return [];
    return [
      { lambda: aws.lambda, minutes: 'everyMinutes' in aws ? aws.everyMinutes : config[aws.minutesOf] },
    ];
  });
}
