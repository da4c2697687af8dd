import type { OperatorConfig } from '../config.ts';

/**
 * The one to copy for a first try: what is locked can be removed the day after, nothing is protected from deletion, and
 * Lambda's quota is that of a new account.
 */
export const exampleTrial: OperatorConfig = {
  name: 'example-trial',
  deployment: 'example-trial-1',
  env: { account: '333333333333', region: 'eu-central-1' },
  domains: {
    parties: {
      name: 'smdpf.trial.example.org',
      certificateArn:
        'arn:aws:acm:eu-central-1:333333333333:certificate/00000000-0000-0000-0000-000000000005',
      truststore: 'example-truststore.pem',
    },
    field: {
      name: 'field.smdpf.trial.example.org',
      certificateArn:
        'arn:aws:acm:eu-central-1:333333333333:certificate/00000000-0000-0000-0000-000000000006',
    },
  },
  administratorRoleArn: 'arn:aws:iam::333333333333:role/smdpf-administrator',
  bindingKeys: ['sandbox-ci'],
  retention: { lockDays: 1, uploadDays: 1, logDays: 7 },
  quotas: {
    signsPerSecond: 100,
    interactiveShare: 0.2,
    tasksAtOnce: 2,
    callsPerSecond: 10,
    fieldCallsPerSecond: 5,
    fieldCallsAtOnce: 2,
    lambdaConcurrency: 10,
  },
  alarms: { faults: 3, callbackMinutes: 120 },
  crlFetchMinutes: 360,
  target: 'aws',
};
