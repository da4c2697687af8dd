import type { OperatorConfig } from '../config.ts';

/** An example of a small Operator: one CI, and an account that it shares with other signers. */
export const exampleIot: OperatorConfig = {
  name: 'example-iot',
  deployment: 'example-iot-1',
  env: { account: '222222222222', region: 'eu-west-1' },
  domains: {
    parties: {
      name: 'smdpf.iot.example.net',
      certificateArn: 'arn:aws:acm:eu-west-1:222222222222:certificate/00000000-0000-0000-0000-000000000003',
      truststore: 'example-truststore.pem',
    },
    field: {
      name: 'field.smdpf.iot.example.net',
      certificateArn: 'arn:aws:acm:eu-west-1:222222222222:certificate/00000000-0000-0000-0000-000000000004',
    },
  },
  administratorRoleArn: 'arn:aws:iam::222222222222:role/smdpf-administrator',
  established: true,
  bindingKeys: ['gsma-ci'],
  retention: { lockDays: 1095, uploadDays: 14, logDays: 90 },
  quotas: {
    signsPerSecond: 300,
    interactiveShare: 0.2,
    tasksAtOnce: 4,
    callsPerSecond: 50,
    fieldCallsPerSecond: 20,
    fieldCallsAtOnce: 10,
    lambdaConcurrency: 1000,
  },
  alarms: { faults: 3, callbackMinutes: 120 },
  crlFetchMinutes: 360,
  target: 'aws',
};
