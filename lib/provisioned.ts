import type { FunctionPath } from '../shared/gsma/functions/index.ts';
import { type OperatorConfig, reservedConcurrency, UNRESERVED } from './config.ts';
import type { FunctionName, LambdaName } from './functions.ts';

/** Functions that get provisioned concurrency together: each of them as many environments as the configuration says. */
export const PROVISIONED_GROUPS = {
  /** A device waits for these: a request for one profile, and the look at one that was answered Pending. */
  justInTime: ['esbpp.requestBpp', 'esbpp.getBppBatch'],
  reports: ['esbpp.sendProfileLoadingReport'],
  /** Devices in the field. */
  field: ['es9plus.handleNotification'],
} as const satisfies Readonly<Record<string, readonly (FunctionPath & FunctionName)[]>>;

export type ProvisionedGroup = keyof typeof PROVISIONED_GROUPS;

export const provisionedGroups = Object.keys(PROVISIONED_GROUPS) as ProvisionedGroup[];

/** Environments that are kept ready for each function that has any. */
export function provisionedOf({
  provisionedConcurrency = {},
}: Pick<OperatorConfig, 'provisionedConcurrency'>): Map<LambdaName, number> {
  return new Map(
    provisionedGroups.flatMap((group) => {
      const environments = provisionedConcurrency[group];
      return environments === undefined
        ? []
        : PROVISIONED_GROUPS[group].map((name) => [name, environments] as const);
    }),
  );
}

/** How many Lambda can keep ready: it takes them of what no function has a part of, and keeps 100 for all others. */
export function provisionable(config: Pick<OperatorConfig, 'quotas'>): number {
  const { tasks = 0, field = 0 } = reservedConcurrency(config) ?? {};
  return Math.max(0, config.quotas.lambdaConcurrency - UNRESERVED - tasks - field);
}
