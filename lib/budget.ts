import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';
import type { OperatorConfig } from './config.ts';

/** Percent of the budget that has been spent. */
const NEARLY = 80;

/** Tells by mail what the account costs: budgets are of accounts, and the stack is best alone in its own. */
export class MonthlyBudget extends Construct {
  constructor(scope: Construct, id: string, { name, budget, alarms }: OperatorConfig) {
    super(scope, id);
    const notify = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        notificationType,
        threshold,
        thresholdType: 'PERCENTAGE',
        comparisonOperator: 'GREATER_THAN',
      },
      subscribers: [{ subscriptionType: 'EMAIL', address: alarms.email! }],
    });
    new CfnBudget(this, 'Monthly', {
      budget: {
        budgetName: `${name}-smdpf`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: budget!.monthlyUsd, unit: 'USD' },
      },
      notificationsWithSubscribers: [notify('ACTUAL', NEARLY), notify('FORECASTED', 100)],
    });
  }
}
