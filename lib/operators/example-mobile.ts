import type { OperatorConfig } from '../config.ts';

/** An example of a large Operator: two CIs, long retention, the whole KMS quota of an account of its own. */
export const exampleMobile: OperatorConfig = {
  name: 'example-mobile',
  deployment: 'example-mobile-1',
  env: { account: '111111111111', region: 'eu-central-1' },
  domains: {
    parties: {
      name: 'smdpf.mobile.example.com',
      certificateArn:
        'arn:aws:acm:eu-central-1:111111111111:certificate/00000000-0000-0000-0000-000000000001',
      truststore: 'example-truststore.pem',
    },
    field: {
      name: 'field.smdpf.mobile.example.com',
      certificateArn:
        'arn:aws:acm:eu-central-1:111111111111:certificate/00000000-0000-0000-0000-000000000002',
    },
  },
  administratorRoleArn: 'arn:aws:iam::111111111111:role/smdpf-administrator',
  administrators: [
    { name: 'anna', roleArn: 'arn:aws:iam::111111111111:role/smdpf-anna' },
    { name: 'ben', roleArn: 'arn:aws:iam::111111111111:role/smdpf-ben' },
  ],
  auditAnchor: { bucketArn: 'arn:aws:s3:::example-mobile-audit-heads', region: 'eu-west-1', lockDays: 3650 },
  timeSource: 'sntp:time.aws.com',
  established: true,
  bindingKeys: ['gsma-ci', 'private-ci'],
  retention: { lockDays: 3650, uploadDays: 30, logDays: 365 },
  quotas: {
    signsPerSecond: 1000,
    interactiveShare: 0.1,
    tasksAtOnce: 12,
    callsPerSecond: 200,
    fieldCallsPerSecond: 100,
    fieldCallsAtOnce: 50,
    lambdaConcurrency: 1000,
  },
  alarms: {
    email: 'smdpf-operations@mobile.example.com',
    faults: 5,
    callbackMinutes: 60,
    stock: 10_000,
    refused: 1_000,
  },
  crlFetchMinutes: 60,
  canary: { minutes: 10, faults: 2 },
  tags: { 'cost-centre': 'esim' },
  budget: { monthlyUsd: 2_000 },
  target: 'aws',
};
