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
    for (const { aws } of Object.values(UPKEEP)) {
      if ('why' in aws) continue;
      const minutes = 'everyMinutes' in aws ? aws.everyMinutes : config[aws.minutesOf];
      new Rule(this, resourceName(aws.lambda), {
        schedule: Schedule.rate(Duration.minutes(minutes)),
        targets: [new LambdaFunction(functions[aws.lambda].function, { retryAttempts: 0 })],
      });
    }
  }
}
