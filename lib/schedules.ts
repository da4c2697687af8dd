import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { OperatorConfig } from './config.ts';
import type { BackgroundName } from './functions.ts';
import { resourceName } from './functions.ts';
import type { SmdpfFunction } from './smdpf-function.ts';

/** Minutes between runs. Everything here may be missed or doubled: what it does is found in the ledger. */
const MINUTES: Partial<Record<BackgroundName, number>> = {
  'audit.chain': 5,
  'jobs.resume': 5,
  'keys.check': 60,
  'keys.rewrap': 5,
  'notify.sweep': 5,
};

/** What runs by the clock. */
export class Schedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    config: OperatorConfig,
    functions: Readonly<Record<BackgroundName, SmdpfFunction>>,
  ) {
    super(scope, id);
    const all = { ...MINUTES, 'trust.fetchCrls': config.crlFetchMinutes };
    for (const [name, minutes] of Object.entries(all) as [BackgroundName, number][]) {
      new Rule(this, resourceName(name), {
        schedule: Schedule.rate(Duration.minutes(minutes)),
        targets: [new LambdaFunction(functions[name].function, { retryAttempts: 0 })],
      });
    }
  }
}
