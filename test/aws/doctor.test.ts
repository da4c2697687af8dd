import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Checked } from '../../cli/aws/doctor/check.ts';
import { CHECKS } from '../../cli/aws/doctor/checks.ts';
import { elementOf, SignedCalls } from '../../cli/aws/signed-calls.ts';
import type { StackDescription } from '../../cli/aws/stack-description.ts';
import { runCli } from '../cli/support/cli.ts';
import { awsClientConfig, awsSkipReason } from '../support/aws.ts';

/** `smdpf aws doctor` on what an emulator has of a stack: keys with aliases, a topic, an alarm with its action. */
describe.skipIf(awsSkipReason !== '')(`smdpf aws doctor${awsSkipReason}`, () => {
  const name = `d${randomUUID().slice(0, 8)}`;
  const outputs = join(mkdtempSync(join(tmpdir(), 'smdpf-doctor-')), 'outputs.json');
  const alias = `alias/smdpf/${name}/delivery`;
  let description: StackDescription;
  let delivery = '';
  const write = (change: Partial<StackDescription> = {}) => {
    const runtime = {
      deployment: name,
      address: 'smdpf.example.test',
      ledger: 'dynamodb:ledger',
      vault: 's3://vault',
      ppks: 'dynamodb:ppks',
      keys: { wrapping: `awskms:key-id=${delivery}`, delivery: `awskms:key-id=${delivery}` },
    };
    const all = {
      Description: JSON.stringify({ ...description, ...change }),
      Runtime: JSON.stringify(runtime),
    };
    writeFileSync(outputs, JSON.stringify({ [`smdpf-${name}`]: all }));
  };
  const doctor = async () => {
    const { stdout, code } = await runCli('aws', 'doctor', '--outputs', outputs, '--json');
    const { checks } = JSON.parse(stdout) as { checks: Checked[] };
    return { exitCode: code, checks, of: (check: string) => checks.find((one) => one.check === check) };
  };

  beforeAll(async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', String(process.env.SMDPF_TEST_AWS_ENDPOINT));
    vi.stubEnv('AWS_REGION', awsClientConfig.region);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const kms = new KMSClient(awsClientConfig);
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    );
    delivery = KeyMetadata!.Arn!;
    await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: delivery }));
    kms.destroy();
    const calls = new SignedCalls(awsClientConfig.region);
    const topic = elementOf(
      await calls.query('sns', '2010-03-31', 'CreateTopic', { Name: `${name}-smdpf-alarms` }),
      'TopicArn',
    )!;
    const testAlarm = `${name}-smdpf-faults`;
    for (const AlarmName of [testAlarm, `${name}-smdpf-stopped-x`])
      await calls.json('monitoring', '1.0', 'GraniteServiceVersion20100801.PutMetricAlarm', {
        AlarmName,
        AlarmActions: [topic],
        Namespace: 'x',
        MetricName: 'x',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
      });
    await calls.json('events', '1.1', 'AWSEvents.PutRule', {
      Name: `${name}-smdpf-x`,
      ScheduleExpression: 'rate(1 hour)',
    });
    calls.close();
    const domain = { name: 'smdpf.example.test' };
    description = {
      name,
      target: 'emulator',
      aliases: { [alias]: delivery },
      topic,
      testAlarm,
      domains: { parties: domain, field: domain },
      quotas: { signsPerSecond: 1, lambdaConcurrency: 1, reserved: {} },
    };
  });
  afterAll(() => vi.unstubAllEnvs());

  it('tells of each check its verdict, and names what an emulator cannot tell', async () => {
    write();
    const { checks, of, exitCode } = await doctor();
    expect(checks.map(({ check }) => check)).toEqual(CHECKS.map((check) => check.name));
    for (const check of ['clock', 'aliases of keys', 'use of signing keys', 'a test alarm arrives', 'alarms'])
      expect(of(check), check).toMatchObject({ verdict: 'good' });
    for (const check of CHECKS.filter(({ notOnEmulator }) => notOnEmulator !== undefined))
      expect(of(check.name)).toMatchObject({
        verdict: 'unchecked',
        says: expect.stringContaining('not checkable here'),
      });
    expect(exitCode).toBe(0);
  });

  it('says what is wrong and the way out, and goes on with the next check', async () => {
    write({ aliases: { [alias]: delivery.replace(/.$/, 'x') }, testAlarm: `${name}-smdpf-none` });
    const { of, exitCode } = await doctor();
    expect(of('aliases of keys')).toMatchObject({
      verdict: 'bad',
      says: expect.stringContaining('names another key'),
    });
    expect(of('a test alarm arrives')?.verdict).not.toBe('good');
    expect(of('use of signing keys')).toMatchObject({ verdict: 'good' });
    expect(exitCode).toBe(1);
  });
});
