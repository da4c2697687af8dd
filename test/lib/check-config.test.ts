import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pemOf } from '../../cli/deployment/tls.ts';
import { checkConfig, MAX_CALLBACK_CA, TRUSTSTORES } from '../../lib/check-config.ts';
import type { OperatorConfig } from '../../lib/config.ts';
import { EMULATED, EXAMPLES } from '../../lib/operators/index.ts';

const [config] = EXAMPLES as [OperatorConfig];
const { quotas, retention, alarms, domains } = config;
const ca = readFileSync(join(TRUSTSTORES, 'example-truststore.pem'), 'utf8');
const { vectors } = JSON.parse(readFileSync('test/vectors/chains-by-another-tool.json', 'utf8')) as {
  vectors: { euicc: string }[];
};
const leaf = pemOf(Buffer.from(vectors[0]!.euicc, 'base64'));
const parties = (change: object) => ({ domains: { ...domains, parties: { ...domains.parties, ...change } } });

it.each([...EXAMPLES, EMULATED])('the configuration of $name is taken', (one) => {
  expect(checkConfig(one)).toBe(one);
});

it.each<[string, Partial<OperatorConfig>, string]>([
  ['a name with a capital', { name: 'Capital' }, 'name: 2 to 25'],
  ['a deployment with a space', { deployment: 'a b' }, 'deployment:'],
  ['an account that is none', { env: { account: '1', region: 'eu-central-1' } }, 'env.account: 12 digits'],
  ['no account to deploy to', { env: undefined } as object, 'env: the account and region'],
  ['a region that is none', { env: { account: '111111111111', region: 'Frankfurt' } }, 'env.region: such as'],
  [
    'a region in China',
    { env: { account: '111111111111', region: 'cn-north-1' } },
    'env.region: not in China',
  ],
  ['no binding key', { bindingKeys: [] }, 'bindingKeys: without one'],
  ['a binding key twice', { bindingKeys: ['a', 'a'] }, 'bindingKeys: names of'],
  ['a further key twice', { furtherKeys: { wrapping: ['a', 'a'] } }, 'furtherKeys.wrapping:'],
  ['one name for both sides', { domains: { ...domains, field: domains.parties } }, 'domains: mutual TLS'],
  [
    'a certificate of another region',
    parties({ certificateArn: domains.parties.certificateArn.replace('eu-central-1', 'us-east-1') }),
    'domains.parties.certificateArn: the ARN of an ACM certificate in eu-central-1 of account 111111111111; request',
  ],
  [
    'a certificate of another account',
    parties({ certificateArn: domains.parties.certificateArn.replaceAll('1'.repeat(12), '9'.repeat(12)) }),
    'domains.parties.certificateArn: the ARN of an ACM certificate in eu-central-1 of account 111111111111; request',
  ],
  [
    'a proof of ownership of another region',
    parties({ ownershipCertificateArn: domains.parties.certificateArn.replace('eu-central-1', 'us-east-1') }),
    'domains.parties.ownershipCertificateArn: the ARN of an ACM certificate in eu-central-1',
  ],
  [
    'a certificate of the field in another region',
    {
      domains: {
        ...domains,
        field: {
          ...domains.field,
          certificateArn: domains.field.certificateArn.replace('eu-central-1', 'us-east-1'),
        },
      },
    },
    'domains.field.certificateArn: the ARN of an ACM certificate in eu-central-1',
  ],
  [
    'a truststore that is missing',
    parties({ truststore: 'none.pem' }),
    'lib/operators/none.pem does not exist; put',
  ],
  [
    'a truststore without certificates',
    parties({ truststore: 'index.ts' }),
    'is not one or more CA certificates',
  ],
  [
    'an administrator of another account',
    { administratorRoleArn: 'arn:aws:iam::999999999999:role/x' },
    'administratorRoleArn: the ARN of an IAM role in the account of env',
  ],
  [
    'one administrator alone',
    { administrators: [{ name: 'anna', roleArn: 'arn:aws:iam::111111111111:role/anna' }] },
    'administrators: dual control takes two persons',
  ],
  [
    'two administrators of one role, by paths that STS leaves out',
    {
      administrators: [
        { name: 'anna', roleArn: 'arn:aws:iam::111111111111:role/a/one' },
        { name: 'ben', roleArn: 'arn:aws:iam::111111111111:role/b/one' },
      ],
    },
    'administrators: a role is one person',
  ],
  [
    'the role of whoever administers as a person',
    {
      administrators: [
        { name: 'anna', roleArn: 'arn:aws:iam::111111111111:role/anna' },
        { name: 'ben', roleArn: config.administratorRoleArn! },
      ],
    },
    'administrators: administratorRoleArn is whoever may assume it',
  ],
  [
    'ends of the log that are kept for less than the log',
    { auditAnchor: { ...config.auditAnchor!, lockDays: retention.lockDays - 1 } },
    'auditAnchor.lockDays: as many as retention.lockDays',
  ],
  [
    'a bucket by its name',
    { auditAnchor: { ...config.auditAnchor!, bucketArn: 'audit-heads' } },
    'auditAnchor.bucketArn: the ARN of a bucket',
  ],
  ['a clock that is none', { timeSource: 'time.aws.com' }, 'timeSource: time.aws.com names no clock'],
  [
    'a lock of more than a hundred years',
    { retention: { ...retention, lockDays: 36_501 } },
    'retention.lockDays: whole days, 1 to 36500',
  ],
  ['uploads kept for no days', { retention: { ...retention, uploadDays: 0 } }, 'retention.uploadDays:'],
  ['a lock of no days', { retention: { ...retention, lockDays: 0 } }, 'retention.lockDays:'],
  [
    'logs for 45 days',
    { retention: { ...retention, logDays: 45 } },
    'retention.logDays: CloudWatch Logs knows 1, 3, 5,',
  ],
  [
    'a share below none',
    { quotas: { ...quotas, interactiveShare: -0.1 } },
    'quotas.interactiveShare: a part of one',
  ],
  [
    'a share of all',
    { quotas: { ...quotas, interactiveShare: 1 } },
    'quotas.interactiveShare: a part of one',
  ],
  [
    'no signatures a second',
    { quotas: { ...quotas, signsPerSecond: 0 } },
    'quotas.signsPerSecond: 1 and more',
  ],
  [
    'no calls of the field at once',
    { quotas: { ...quotas, fieldCallsAtOnce: 0 } },
    'quotas.fieldCallsAtOnce:',
  ],
  [
    'half an execution',
    { quotas: { ...quotas, lambdaConcurrency: 999.5 } },
    'quotas.lambdaConcurrency: a whole',
  ],
  ['no calls a second', { quotas: { ...quotas, callsPerSecond: 0 } }, 'quotas.callsPerSecond: 1 and more'],
  ['no calls of the field', { quotas: { ...quotas, fieldCallsPerSecond: 0 } }, 'quotas.fieldCallsPerSecond:'],
  [
    'no calls of a party',
    { quotas: { ...quotas, callsOfParty: { perSecond: 0, burst: 1 } } },
    'quotas.callsOfParty:',
  ],
  ['half a task', { quotas: { ...quotas, tasksAtOnce: 0.5 } }, 'quotas.tasksAtOnce: a whole number'],
  ['more tasks than signatures', { quotas: { ...quotas, tasksAtOnce: 2_000 } }, 'quotas: more tasks at once'],
  [
    'twelve tasks in a new account',
    { quotas: { ...quotas, lambdaConcurrency: 10 } },
    'quotas.tasksAtOnce: 12 tasks would starve calls where Lambda runs 10 at once; lower it to 2, or have the account',
  ],
  ['less than no faults before an alarm', { alarms: { ...alarms, faults: -1 } }, 'alarms.faults:'],
  ['an address without @', { alarms: { ...alarms, email: 'me' } }, 'alarms.email:'],
  ['work of no minutes', { alarms: { ...alarms, workMinutes: 0 } }, 'alarms.workMinutes:'],
  ['a stock of half a profile', { alarms: { ...alarms, stock: 0.5 } }, 'alarms.stock:'],
  ['less than nothing refused', { alarms: { ...alarms, refused: -1 } }, 'alarms.refused:'],
  ['callbacks of no minutes', { alarms: { ...alarms, callbackMinutes: 0 } }, 'alarms.callbackMinutes:'],
  ['a chunk of none', { sizes: { chunk: 0, pack: 1 } }, 'sizes.chunk:'],
  ['lists fetched every week', { crlFetchMinutes: 10_080 }, 'crlFetchMinutes: whole minutes, 2 to 1440'],
  ['a canary of a minute', { canary: { minutes: 1 as 5, faults: 0 } }, 'canary.minutes: 5, 10, 15, 30'],
  [
    'no environment that is ready',
    { provisionedConcurrency: { justInTime: 0 } },
    'provisionedConcurrency.justInTime: a whole number, 1 and more, for one of justInTime, reports, field',
  ],
  [
    'a group that there is not',
    { provisionedConcurrency: { orders: 1 } as object },
    'provisionedConcurrency.orders: a whole number, 1 and more, for one of justInTime',
  ],
  [
    'more of the field than it may use',
    { provisionedConcurrency: { field: quotas.fieldCallsAtOnce + 1 } },
    `provisionedConcurrency.field: at most fieldCallsAtOnce, which are ${quotas.fieldCallsAtOnce}`,
  ],
  [
    'more than Lambda keeps ready',
    {
      quotas: { ...quotas, lambdaConcurrency: 10, tasksAtOnce: 2 },
      provisionedConcurrency: { justInTime: 2 },
    },
    'provisionedConcurrency: 4 environments, and Lambda can keep 0 ready where it runs 10 at once; ask for fewer, or have',
  ],
  ['less than no faults', { canary: { minutes: 5, faults: -1 } }, 'canary.faults: a whole number'],
  ['the ARN of a table', { ledgerTable: 'arn:aws:dynamodb:x:1:table/y' }, 'ledgerTable: the name of a table'],
  [
    'a large callback CA',
    { callbackCa: ca.repeat(1 + MAX_CALLBACK_CA / ca.length) },
    'callbackCa: 2000 octets',
  ],
  ['a callback CA that is none', { callbackCa: 'PEM' }, 'callbackCa: one or more CA certificates in PEM'],
  [
    'a callback CA that is a certificate and no CA',
    { callbackCa: leaf },
    'callbackCa: one or more CA certificates in PEM',
  ],
  ['a tag that AWS keeps for itself', { tags: { 'aws:x': 'y' } }, 'tags.aws:x: letters'],
  ['a tag of two lines', { tags: { x: 'a\nb' } }, 'tags.x: letters'],
  ['a budget of nothing', { budget: { monthlyUsd: 0 } }, 'budget.monthlyUsd: 1 and more'],
  [
    'a budget that nobody is told of',
    { alarms: { faults: 1, callbackMinutes: 1 }, budget: { monthlyUsd: 10 } },
    'budget: alarms.email names who is told',
  ],
  [
    'a permissions boundary of another account',
    { account: { permissionsBoundaryArn: 'arn:aws:iam::999999999999:policy/x' } },
    'account.permissionsBoundaryArn: the ARN of a managed policy in the account of env',
  ],
  [
    'a bootstrap qualifier with a hyphen',
    { account: { bootstrapQualifier: 'a-b' } },
    'account.bootstrapQualifier: 1 to 10',
  ],
])('a configuration with %s is refused, with a way out', (_, change, says) => {
  expect(() => checkConfig({ ...config, ...change })).toThrow(says);
});

it('a configuration is told all that is wrong with it at once', () => {
  const change = { bindingKeys: [], crlFetchMinutes: 0 };
  expect(() => checkConfig({ ...config, ...change })).toThrow(/bindingKeys[\s\S]*crlFetchMinutes/);
});
