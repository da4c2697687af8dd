/**
 * An AWS emulator (or an account set aside for tests) that the tests of the cloud adapters run against:
 * SMDPF_TEST_AWS_ENDPOINT=http://127.0.0.1:4566, for example MiniStack (`pip install ministack`; `ministack`).
 */
const endpoint = process.env.SMDPF_TEST_AWS_ENDPOINT;

export const awsSkipReason =
  endpoint === undefined ? ' (skipped: SMDPF_TEST_AWS_ENDPOINT names no AWS emulator)' : '';

export const awsClientConfig = {
  ...(endpoint === undefined ? {} : { endpoint }),
  region: process.env.AWS_REGION ?? 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};
