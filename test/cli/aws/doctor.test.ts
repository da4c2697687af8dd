import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { schedules } from '../../../cli/aws/doctor/alarms.ts';
import type { Looking } from '../../../cli/aws/doctor/check.ts';
import { judge, leadsTo } from '../../../cli/aws/doctor/front-door.ts';
import { kmsQuota } from '../../../cli/aws/doctor/quotas.ts';
import { SignedCalls } from '../../../cli/aws/signed-calls.ts';

/** AWS as its API References have it, where no emulator has the case: pages by action, each as the page before names it. */
let aws: Server;
let pages: Record<string, readonly object[]>;
let looking: Looking;
beforeEach(async () => {
  aws = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { NextToken = '0' } = JSON.parse(Buffer.concat(chunks).toString()) as { NextToken?: string };
      const action = String(request.headers['x-amz-target']).split('.')[1]!;
      const page = Number(NextToken);
      const more = page + 1 < pages[action]!.length ? { NextToken: String(page + 1) } : {};
      response.end(JSON.stringify({ ...pages[action]![page], ...more }));
    });
  });
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(aws.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const domain = { name: 'smdpf.example.test' };
  const description = {
    name: 'x',
    target: 'aws',
    aliases: {},
    topic: 'arn:aws:sns:eu-central-1:111111111111:x',
    testAlarm: 'x-smdpf-faults',
    domains: { parties: domain, field: domain },
    quotas: { signsPerSecond: 500, lambdaConcurrency: 10, reserved: {} },
  } as const;
  const stack = { description, region: 'eu-central-1', bindingKeys: [] } as unknown as Looking['stack'];
  looking = { stack, calls: new SignedCalls('eu-central-1') };
});
afterEach(() => {
  vi.unstubAllEnvs();
  looking.calls.close();
  aws.close();
});

const ecc = (Value: number) => ({
  QuotaName: 'Cryptographic operations (ECC) request rate',
  QuotaCode: 'L-1',
  Value,
});
const other = { QuotaName: 'Sign request rate', QuotaCode: 'L-0', Value: 1 };

it('the quota of KMS is looked up among the defaults of AWS where the account never changed it, on whatever page', async () => {
  pages = {
    ListServiceQuotas: [{ Quotas: [other] }, { Quotas: [] }],
    ListAWSDefaultServiceQuotas: [{ Quotas: [other] }, { Quotas: [ecc(1_000)] }],
  };
  expect(await kmsQuota.look(looking)).toMatchObject({
    verdict: 'good',
    says: '1000 signatures a second; the stack uses 500 of them',
  });
  pages.ListServiceQuotas = [{ Quotas: [other] }, { Quotas: [ecc(300)] }];
  expect(await kmsQuota.look(looking)).toMatchObject({
    verdict: 'bad',
    wayOut: expect.stringContaining('L-1'),
  });
  pages = { ListServiceQuotas: [{}], ListAWSDefaultServiceQuotas: [{ Quotas: [other] }] };
  expect(await kmsQuota.look(looking)).toMatchObject({
    verdict: 'bad',
    says: expect.stringContaining('names no'),
  });
});

it('schedules are looked at on every page of rules, and one that is missing is told of', async () => {
  const rule = (Name: string, State = 'ENABLED') => ({ Name, State, ScheduleExpression: 'rate(1 hour)' });
  const guard = { Name: 'x-smdpf-guards', State: 'ENABLED' };
  const heart = (name: string) => ({ AlarmName: `x-smdpf-stopped-${name}`, StateValue: 'OK' });
  pages = {
    ListRules: [{ Rules: [rule('x-smdpf-a'), guard] }, { Rules: [rule('x-smdpf-b')] }],
    DescribeAlarms: [{ MetricAlarms: [heart('a')] }, { MetricAlarms: [heart('b')] }],
  };
  expect(await schedules.look(looking)).toMatchObject({
    verdict: 'good',
    says: '2 schedules have run in time',
  });
  pages.ListRules = [{ Rules: [rule('x-smdpf-a')] }, { Rules: [rule('x-smdpf-b', 'DISABLED')] }];
  expect(await schedules.look(looking)).toMatchObject({ verdict: 'bad', says: 'disabled: x-smdpf-b' });
  pages.ListRules = [{ Rules: [rule('x-smdpf-a'), guard] }];
  expect(await schedules.look(looking)).toMatchObject({ verdict: 'bad', says: 'of 2 rules 1 are missing' });
});

it('a schedule that was not due since its deployment is no fault, and one that has missed its run is', async () => {
  const rule = { Name: 'x-smdpf-a', State: 'ENABLED', ScheduleExpression: 'rate(1 day)' };
  const deployed = (hoursAgo: number) => ({
    AlarmName: 'x-smdpf-stopped-a',
    StateValue: 'ALARM',
    AlarmConfigurationUpdatedTimestamp: Date.now() / 1_000 - 3_600 * hoursAgo,
    Period: 86_400,
    EvaluationPeriods: 1,
  });
  const alarm = (MetricAlarms: object[]) => {
    pages = { ListRules: [{ Rules: [rule] }], DescribeAlarms: [{ MetricAlarms }] };
  };
  alarm([deployed(23)]);
  expect(await schedules.look(looking)).toMatchObject({
    verdict: 'good',
    says: '1 schedules, 1 of which were not due yet',
  });
  const late = { verdict: 'bad', says: 'has not run: x-smdpf-stopped-a' };
  alarm([deployed(25)]);
  expect(await schedules.look(looking)).toMatchObject(late);
  const { AlarmName, StateValue } = deployed(23);
  alarm([{ AlarmName, StateValue }]);
  expect(await schedules.look(looking)).toMatchObject(late);
});

it('a certificate that API Gateway answers with 403 is one that it does not let in', () => {
  const reset = { error: 'ECONNRESET socket hang up' };
  const verdicts = ([without, accepted]: readonly Parameters<typeof judge>[1][]) =>
    judge('x', without!, accepted).verdict;
  const answered = (status: number) => ({ status, error: '' });
  for (const without of [reset, answered(403)]) {
    expect(verdicts([without, answered(404)])).toBe('good');
    expect(verdicts([without, answered(403)])).toBe('bad');
    expect(verdicts([without, reset])).toBe('bad');
    expect(verdicts([without])).toBe('unchecked');
  }
  expect(verdicts([answered(404), answered(404)])).toBe('bad');
  expect(verdicts([{ error: 'ENOTFOUND x' }])).toBe('bad');
});

it('two names that answers of DNS give other addresses of each time lead to the same place', async () => {
  let asked = 0;
  const turning = async (name: string) => [name === 'target' ? 'b' : ('ab'[Math.floor(asked++ / 2)] ?? 'c')];
  expect(await leadsTo('name', 'target', turning, 0)).toEqual({ meet: true, found: ['a', 'b'] });
  const elsewhere = async (name: string) => (name === 'target' ? ['b'] : ['z']);
  expect(await leadsTo('name', 'target', elsewhere, 0)).toEqual({ meet: false, found: ['z'] });
  expect(await leadsTo('name', 'target', async () => [], 0)).toEqual({ meet: false, found: [] });
});
