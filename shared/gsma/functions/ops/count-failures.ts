import { object } from '../../check.ts';
import { failureFilter } from '../common/failure-filter.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object(failureFilter);

/** Ops.countFailures: how often what failed, the most frequent first. */
export const countFailures = viewerFunction('ops.countFailures', body, ({ inventory }, input) =>
  inventory.countFailures(input),
);
