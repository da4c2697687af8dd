import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodePem, encodeSpki } from '../../sim/curve.ts';
import { EUM_FAULTS, Production } from '../conform/eum-faults.ts';
import { Folder } from './support/binding-bench.ts';
import { runCli } from './support/cli.ts';

// `smdpf conform`: the answer as table, JSON and JUnit, and the exit code.

const folder = new Folder();
let production: Production;
let ci: string;
let dataKey: string;

beforeAll(() => {
  production = new Production();
  ci = folder.write('CERT_CI.der', production.ci.certificate);
  dataKey = folder.write('data-key.pem', encodePem('PUBLIC KEY', encodeSpki(production.dataKey)));
});

afterAll(() => folder.remove());

const eum = (batch: Uint8Array, ...more: string[]) =>
  runCli(
    'conform',
    'eum',
    '--batch',
    folder.write('b.der', batch),
    '--ci',
    ci,
    '--data-key',
    dataKey,
    ...more,
  );

it('a batch that conforms ends with 0, and each check is told with its rule', async () => {
  const { code, stdout } = await eum(production.write());
  expect(code).toBe(0);
  expect(stdout).toMatch(/^eum\.proof\.signs +passed +6 +docs\/pre-sgp42\.md, For implementers$/m);
  expect(stdout).toMatch(/\d+ passed, 0 failed, 0 skipped/);
});

it('a batch that does not ends with 1, and says rule, octets and way out as table, JSON and JUnit', async () => {
  const fault = EUM_FAULTS.find(({ what }) => what.includes('without FF64'))!;
  const batch = fault.batch(production);
  const octets = Buffer.from(production.tbs).toString('hex');
  const { code, stdout } = await eum(batch);
  expect(code).toBe(1);
  expect(stdout).toContain(octets);
  expect(stdout).toMatch(/way out +Sign exactly the octets that are expected/);

  const junit = folder.write('junit.xml', '');
  const json = await eum(batch, '--json', '--junit', junit);
  expect(json.code).toBe(1);
  expect(json.json()).toMatchObject({ subject: 'eum', conforms: false, failed: 1 });
  const { checks } = json.json<{ checks: { id: string; findings: { expected: string }[] }[] }>();
  expect(checks.find(({ id }) => id === 'eum.proof.signs')!.findings[0]!.expected).toContain(octets);
  const xml = readFileSync(junit, 'utf8');
  expect(xml).toContain('failures="1"');
  expect(xml).toMatch(
    /<testcase [^>]*name="eum\.proof\.signs"[^>]*><failure message="[^"<]+" type="docs\/pre-sgp42\.md/,
  );
  expect(xml.match(/<testcase /g)).toHaveLength(checks.length);
});

it('octets that are no batch are a finding, not an error', async () => {
  const { code, json } = await eum(Buffer.from('3000', 'hex'), '--json');
  expect(code).toBe(1);
  expect(json()).toMatchObject({
    checks: expect.arrayContaining([expect.objectContaining({ id: 'eum.batch.der', result: 'failed' })]),
  });
});
