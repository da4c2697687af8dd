import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactVerify, importJWK } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { openSandbox } from '../../cli/deployment/sandbox.ts';
import { destroyFile } from '../../cli/erasure/destroy-key.ts';
import { type Erasure, erase } from '../../cli/erasure/erase.ts';
import { canonicalJson } from '../../shared/codec/canonical-json.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { STORE_NAMES } from '../../shared/service/restore/identity.ts';
import { OPERATOR } from '../support/deployment.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';

const folder = new Folder();
const deployment = folder.file('op');
const statement = folder.file('statement.json');
let name: string;

const cli = (...args: string[]) => runCli('erase', ...args, '--folder', deployment, '--json');
const filesBelow = (path: string) =>
  existsSync(path)
    ? readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    : [];

beforeAll(async () => {
  const opened = await DeploymentFolder.open(deployment);
  name = opened.config.runtime.deployment;
  const runtime = await opened.openRuntime();
  await openSandbox(opened, runtime, 'p256');
  const longTerm = opened.keyUri('long-term');
  await runtime.keys.generate(longTerm, 'ml-dsa-65', 'longTerm');
  await runtime.context.keyAssignments.assign('longTerm', longTerm, 'test');
  await runtime.services.orders.prepareProfiles(OPERATOR, {
    orderId: 'ORD',
    profileType: 'test',
    quantity: 3,
    requesterDms: ['2.999.50'],
    template: ownTemplate(),
    personalisation: { iccidStart: '890000000000000000', keys: 'template' },
    eligibility: {},
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
  });
  await runtime.close();
});
afterAll(() => folder.remove());

it('smdpf erase plan says what there is, and erases nothing; a run needs the name of the deployment', async () => {
  const plan = (await cli('plan')).json<{ deployment: string; keys: string[]; objects: number }>();
  expect(plan).toMatchObject({ deployment: name, openWork: 0 });
  expect(plan.keys.length).toBeGreaterThanOrEqual(4);
  expect(plan.objects).toBeGreaterThan(2);
  const wrong = await cli('run', '--confirm', 'another', '--statement', statement);
  expect(wrong.json<ErrorDocument>().error.code).toBe('usage');
  expect(filesBelow(join(deployment, 'ppks', 'packs')).length).toBeGreaterThan(0);
  expect(existsSync(statement)).toBe(false);
});

it('smdpf erase run destroys PPKs, keys and data, keeps what is locked, and signs what it did', async () => {
  const ran = await cli('run', '--confirm', name, '--statement', statement);
  expect(ran.code).toBe(0);

  const made = JSON.parse(readFileSync(statement, 'utf8')) as Erasure;
  expect(made.sha256).toBe(createHash('sha256').update(canonicalJson(made.statement)).digest('hex'));
  const { payload } = await compactVerify(made.jws!, await importJWK(made.key as never, 'ES256'));
  expect(JSON.parse(Buffer.from(payload).toString())).toEqual(made.statement);
  expect(createPublicKey({ key: made.key as never, format: 'jwk' }).asymmetricKeyType).toBe('ec');
  const states = Object.fromEntries(
    made.statement.erased.map(({ what, state }) => [what.split(' ')[0]!, state]),
  );
  expect(states).toMatchObject({ PPK: 'erased', key: 'erased' });
  expect(made.statement.erased.find(({ what }) => what === 'vault: audit/')).toMatchObject({ state: 'kept' });

  // nothing of it is left but what is locked, and of that nothing that opens anything
  for (const store of ['ppks', 'keys', 'tls'])
    expect([store, filesBelow(join(deployment, store))]).toEqual([store, []]);
  for (const file of ['ledger.sqlite', 'ledger.sqlite-wal', 'config.json'])
    expect([file, existsSync(join(deployment, file))]).toEqual([file, false]);
  const left = new Set(
    readdirSync(join(deployment, 'vault', 'objects')).filter(
      (one) => filesBelow(join(deployment, 'vault', 'objects', one)).length > 0,
    ),
  );
  expect(left).toEqual(new Set(['audit', 'crls', 'records'].filter((one) => left.has(one))));
  expect(left.has('audit')).toBe(true);
  expect((await cli('plan')).json<ErrorDocument>().error.code).toBe('usage');
});

it('smdpf erase verify holds a statement by the key that signed it, and finds an octet that was changed', {
  tags: ['EVIDENCE-PACK'],
}, async () => {
  const text = readFileSync(statement, 'utf8');
  const { key, jws } = JSON.parse(text) as Erasure;
  const keys = folder.file('erased-keys.json');
  writeFileSync(keys, JSON.stringify({ keys: [key] }));
  const verified = (file: string) => runCli('erase', 'verify', file, '--keys', keys, '--json');
  expect(await verified(statement)).toMatchObject({ code: 0 });
  const changed = folder.file('changed-statement.json');
  const half = Math.floor(jws!.length / 2);
  for (const other of [
    text.replace('"state": "erased"', '"state": "absent"'),
    text.replace(jws!, `${jws!.slice(0, half)}${jws![half] === 'A' ? 'B' : 'A'}${jws!.slice(half + 1)}`),
  ]) {
    expect(other).not.toBe(text);
    writeFileSync(changed, other);
    expect((await verified(changed)).code).not.toBe(0);
  }
});

it('smdpf erase overwrites a file before it is removed', async () => {
  const path = folder.file('secret');
  writeFileSync(path, Buffer.alloc(100_000, 7));
  // a second name of the same file shows what became of its octets
  linkSync(path, `${path}.link`);
  expect(await destroyFile(path)).toMatchObject({ state: 'erased' });
  expect(statSync(`${path}.link`).size).toBe(100_000);
  expect(readFileSync(`${path}.link`).every((octet) => octet === 0)).toBe(true);
  expect(await destroyFile(path)).toMatchObject({ state: 'absent' });
});

it('smdpf erase run that died is run again: before the statement it is signed still, after it the signed one stays', async () => {
  const path = folder.file('again');
  const opened = await DeploymentFolder.open(path);
  const written: Erasure[] = [];
  const death = new Error('dead');
  const attempt = async (dies: 'atStatement' | 'afterKey' | 'never') => {
    const runtime = await opened.openRuntime({ lanes: 'none', mayLack: STORE_NAMES });
    const write = async (made: Erasure) => {
      if (dies === 'atStatement') throw death;
      written.push(made);
    };
    const note = ({ what }: { what: string }) => {
      if (dies === 'afterKey' && what.includes('delivery')) throw death;
    };
    await erase(runtime, 'test', write, note).finally(() => runtime.close());
  };
  await expect(attempt('atStatement')).rejects.toBe(death);
  expect(existsSync(join(path, 'keys', 'wrapping.key'))).toBe(false);
  expect(existsSync(join(path, 'keys', 'delivery.key'))).toBe(true);
  await expect(attempt('afterKey')).rejects.toBe(death);
  await attempt('never');
  expect(written.map(({ jws }) => jws !== undefined)).toEqual([true, false]);
  expect(existsSync(join(path, 'ledger.sqlite'))).toBe(false);
});
