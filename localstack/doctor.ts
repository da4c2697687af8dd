import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { KMSClient, UpdateAliasCommand } from '@aws-sdk/client-kms';
import type { Checked, Verdict } from '../cli/aws/doctor/check.ts';
import { CHECKS } from '../cli/aws/doctor/checks.ts';
import { SignedCalls } from '../cli/aws/signed-calls.ts';
import { type DeployedStack, readStack } from '../cli/aws/stack-description.ts';
import { OUTPUTS_FILE } from './outputs.ts';

/**
 * `smdpf aws doctor` over the whole stack on an emulator: what can be checked there is good, what cannot is named with its
 * reason, and what is broken on purpose is found, each in one run beside the others.
 */
const LAUNCHER = join(import.meta.dirname, '..', 'cli', 'smdpf.mjs');
/** What an emulator may have or not: MiniStack counts no runs of Lambdas. */
const MAY_BE_UNCHECKED = new Map([
  ['schedules are alive', 'not checkable here: this emulator counts no runs of Lambdas'],
]);

async function doctor(): Promise<{ exitCode: number; of: (check: string) => Checked; all: Checked[] }> {
  const { exitCode, stdout } = await new Promise<{ exitCode: number; stdout: string }>((resolve) => {
    const args = [LAUNCHER, 'aws', 'doctor', '--outputs', OUTPUTS_FILE, '--json'];
    const child = execFile(process.execPath, args, (_, stdout) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout }),
    );
  });
  const { checks } = JSON.parse(stdout) as { checks: Checked[] };
  const of = (check: string) => checks.find((one) => one.check === check)!;
  return { exitCode, all: checks, of };
}

async function sound(say: (text: string) => void): Promise<void> {
  const { all, exitCode } = await doctor();
  assert.deepEqual(
    all.map(({ check }) => check),
    CHECKS.map(({ name }) => name),
  );
  for (const { name, notOnEmulator } of CHECKS) {
    const { verdict, says } = all.find(({ check }) => check === name)!;
    if (notOnEmulator !== undefined) assert.equal(says, `not checkable here: ${notOnEmulator}`, name);
    else if (verdict !== 'good') assert.equal(says, MAY_BE_UNCHECKED.get(name), name);
    say(`[ ${verdict === 'good' ? 'good' : ' -  '}] ${name}: ${says}`);
  }
  assert.equal(exitCode, 0);
}

/** Each thing that is wrong is told of, with a way out, and hides none of the others. */
async function broken({ description }: DeployedStack, calls: SignedCalls): Promise<void> {
  const kms = new KMSClient({ region: calls.region });
  const [[alias, key], [, another]] = Object.entries(description.aliases) as [
    [string, string],
    [string, string],
  ];
  const name = (TargetKeyId: string) => kms.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId }));
  const { Rules } = (await calls.json('events', '1.1', 'AWSEvents.ListRules', {
    NamePrefix: `${description.name}-smdpf-`,
  })) as { Rules: { Name: string }[] };
  const rule = (action: 'DisableRule' | 'EnableRule') =>
    calls.json('events', '1.1', `AWSEvents.${action}`, { Name: Rules[0]!.Name });
  const alarm = (StateValue: 'ALARM' | 'OK') =>
    calls.json('monitoring', '1.0', 'GraniteServiceVersion20100801.SetAlarmState', {
      AlarmName: `${description.name}-smdpf-job-incomplete`,
      StateValue,
      StateReason: 'broken on purpose',
    });
  await Promise.all([name(another), rule('DisableRule'), alarm('ALARM')]);
  try {
    const { of, exitCode } = await doctor();
    const expect = (check: string, verdict: Verdict, says: RegExp) => {
      assert.equal(of(check).verdict, verdict, check);
      assert.match(of(check).says, says);
      if (verdict === 'bad') assert.ok(of(check).wayOut, check);
      console.log(`[ ${verdict.padEnd(4)}] ${check}: ${of(check).says}`);
    };
    expect('aliases of keys', 'bad', /names another key/);
    expect('schedules are alive', 'bad', new RegExp(`disabled: ${Rules[0]!.Name}`));
    expect('alarms', 'bad', /ringing: .*job-incomplete/);
    expect('use of signing keys', 'good', /hold/);
    assert.equal(exitCode, 1);
  } finally {
    await Promise.all([name(key), rule('EnableRule'), alarm('OK')]);
    kms.destroy();
  }
}

const stack = await readStack(OUTPUTS_FILE, undefined);
const calls = new SignedCalls(stack.region);
try {
  await sound(console.log);
  await broken(stack, calls);
  await sound(() => undefined);
} finally {
  calls.close();
}
console.log('doctor: what is sound was found good, and what was broken on purpose bad');
