import type { OperatorConfig } from '../config.ts';

/** The stack on an emulator of AWS (localstack/README.md); its names are of no domain that exists. */
export const emulator: OperatorConfig = {
  name: 'emulated',
  deployment: 'emulated-1',
  env: { account: '000000000000', region: 'eu-central-1' },
  domains: {
    parties: { name: 'smdpf.example.test', certificateArn: '', truststore: 'example-truststore.pem' },
    field: { name: 'field.smdpf.example.test', certificateArn: '' },
  },
  bindingKeys: ['sandbox-ci'],
  retention: { lockDays: 1, uploadDays: 1, logDays: 1 },
  quotas: {
    signsPerSecond: 1000,
    interactiveShare: 0.1,
    tasksAtOnce: 2,
    callsPerSecond: 200,
    fieldCallsPerSecond: 200,
    fieldCallsAtOnce: 2,
    // too few to give functions a part of their own, which emulators differ on
    lambdaConcurrency: 10,
  },
  alarms: { faults: 5, callbackMinutes: 60 },
  crlFetchMinutes: 60,
  // where the containers of an emulator see the machine that runs the smoke
  internalDestinations: ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  // small, so that the smoke run has several of each
  sizes: { chunk: 50, pack: 100, report: 100 },
  // the login is a provider on this machine, which localstack/console.ts starts
  console: {
    name: 'console.smdpf.example.test',
    certificateArn: '',
    issuer: 'http://127.0.0.1:4790',
    clientId: 'smdpf-console',
    rolesClaim: 'groups',
    viewers: ['smdpf-viewers'],
    administrators: ['smdpf-administrators'],
  },
  target: 'emulator',
};
