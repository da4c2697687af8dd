import { ringing, schedules, testAlarm } from './alarms.ts';
import type { Check } from './check.ts';
import { dns, mutualTls, truststore } from './front-door.ts';
import { aliases, signing } from './keys.ts';
import { objectLock, writtenOnce } from './object-lock.ts';
import { clock, kmsQuota, lambdaQuota } from './quotas.ts';

/** What `smdpf aws doctor` looks at, in its order. The clock comes first: with a wrong one no call is taken. */
export const CHECKS: readonly Check[] = [
  clock,
  aliases,
  signing,
  objectLock,
  writtenOnce,
  dns,
  truststore,
  mutualTls,
  lambdaQuota,
  kmsQuota,
  schedules,
  ringing,
  testAlarm,
];
