import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { opensslMissing } from '../pki/openssl-certificates.ts';
import { selfSigned } from '../support/self-signed.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';
import { SandboxFolder } from './support/sandbox-folder.ts';

const WHY = opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`;

let sandbox: SandboxFolder;
const identities = new Map<string, string>();

/** A key of a person's own, in files; returns where its public part is. */
async function personal(name: string): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  identities.set(
    name,
    await sandbox.file(`${name}.pem`, privateKey.export({ format: 'pem', type: 'pkcs8' })),
  );
  return await sandbox.file(`${name}.pub`, publicKey.export({ format: 'pem', type: 'spki' }));
}

/** A command under the key of a person. */
async function as(name: string, ...args: string[]) {
  process.env.SMDPF_IDENTITY = identities.get(name);
  try {
    return await sandbox.run(...args);
  } finally {
    delete process.env.SMDPF_IDENTITY;
  }
}

/** What a command is refused with, and the request that it leaves. */
async function refused(name: string, ...args: string[]): Promise<{ message: string; request: string }> {
  const { code, json } = await as(name, ...args);
  const { error } = json<ErrorDocument>();
  expect(code).not.toBe(0);
  return { message: error.message, request: error.subjectIdentifier ?? '' };
}

let former: string;
beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  former = (await sandbox.run('keys', 'list'))
    .json<{ keys: { role: string; uri: string }[] }>()
    .keys.find(({ role }) => role === 'delivery')!.uri;
  await sandbox.run('keys', 'rotate', '--role', 'delivery');
  for (const name of ['anna', 'ben', 'mallory']) {
    const file = await personal(name);
    if (name !== 'mallory') await sandbox.run('administrator', 'add', name, '--public-key', file);
  }
  await sandbox.run(
    'approvals',
    'policy',
    '--guard',
    'key.retire',
    'trust.remove',
    'party.add',
    'key.generate',
  );
});
afterAll(() => sandbox?.remove());
afterEach(() => {
  delete process.env.SMDPF_IDENTITY;
});

const retire = () => ['keys', 'retire', '--key', former] as const;
const stateOfFormer = async () =>
  (await sandbox.run('keys', 'list'))
    .json<{ keys: { uri: string; state: string }[] }>()
    .keys.find(({ uri }) => uri === former)?.state;

describe('an action under dual control', { tags: ['DUAL-CONTROL'] }, () => {
  it('is done by nobody alone: not without a key, nor under one, nor by who agrees to oneself', async () => {
    expect((await sandbox.run(...retire())).json<ErrorDocument>().error.message).toContain('SMDPF_IDENTITY');
    const { message, request } = await refused('anna', ...retire());
    expect(message).toContain(`smdpf approvals approve ${request}`);
    expect((await refused('anna', ...retire())).request).toBe(request);
    expect((await refused('anna', 'approvals', 'approve', request)).message).toContain('anna asked for this');
    expect((await refused('mallory', 'approvals', 'approve', request)).message).toContain('no administrator');
    expect(await stateOfFormer()).toBe('former');
  });

  it('is done by two, once, and both names are in the log', async () => {
    const { request } = await refused('anna', ...retire());
    expect((await as('ben', 'approvals', 'approve', request)).json()).toMatchObject({
      requestedBy: 'anna',
      approvedBy: 'ben',
    });
    expect((await as('anna', ...retire())).code).toBe(0);
    expect(await stateOfFormer()).toBe('retired');
    const shown = await sandbox.run('audit', 'show', '--event', 'key.delivery.retired');
    expect(shown.json<{ lines: object[] }>().lines).toMatchObject([
      { who: { person: 'anna', knownBy: 'key', approvedBy: 'ben' } },
    ]);
    const mine = await sandbox.run('audit', 'show', '--person', 'ben');
    expect(mine.json<{ lines: { event: string }[] }>().lines.map(({ event }) => event)).toEqual([
      'approval.given',
      'key.delivery.retired',
    ]);
  });

  it('is not done again under the same approval, nor agreed to twice', async () => {
    const { approvals } = (await sandbox.run('approvals', 'list')).json<{
      approvals: { id: string; state: string }[];
    }>();
    expect(approvals).toMatchObject([{ state: 'done' }]);
    const again = await refused('anna', ...retire());
    expect(again.request).not.toBe(approvals[0]!.id);
    expect((await refused('ben', 'approvals', 'approve', approvals[0]!.id)).message).toContain('it is done');
    expect((await as('anna', 'approvals', 'withdraw', again.request)).code).toBe(0);
    expect((await refused('ben', 'approvals', 'approve', again.request)).message).toContain(
      'it is withdrawn',
    );
  });

  it('is agreed to for one thing: not for another, and not where the ledger was changed', async () => {
    const { request } = await refused('anna', 'party', 'revoke', 'ab'.repeat(32)).catch(() => ({
      request: '',
    }));
    expect(request).toBe('');
    const asked = await refused('anna', 'keys', 'generate', '--role', 'wrapping');
    await as('ben', 'approvals', 'approve', asked.request);
    const other = await refused('anna', 'keys', 'generate', '--role', 'intake');
    expect(other.request).not.toBe(asked.request);
    // the request of another action, moved under this one by who can write the ledger
    await sandbox.withRuntime(async ({ context: { ledger } }) => {
      const at = (id: string) => ({ partition: 'dual-control', sort: `approval#${id}` });
      const [approved, waiting] = [
        (await ledger.get(at(asked.request)))!,
        (await ledger.get(at(other.request)))!,
      ];
      const attributes = { ...approved.attributes, subject: 'intake' };
      await ledger.write({ put: at(other.request), attributes, when: { revision: waiting.revision } });
    });
    expect((await refused('anna', 'keys', 'generate', '--role', 'intake')).message).toContain(
      'is not signed by two',
    );
    expect((await as('anna', 'keys', 'generate', '--role', 'wrapping')).code).toBe(0);
  });

  it('guards who may agree: one administrator adds no other, and lifts nothing', async () => {
    const key = sandbox.path('mallory.pub');
    expect((await refused('anna', 'administrator', 'add', 'mallory', '--public-key', key)).request).not.toBe(
      '',
    );
    expect((await refused('anna', 'approvals', 'policy', '--none')).request).not.toBe('');
    const own = await refused(
      'anna',
      'administrator',
      'add',
      'anna-2',
      '--public-key',
      sandbox.path('anna.pub'),
    );
    await as('ben', 'approvals', 'approve', own.request);
    expect(
      (await refused('anna', 'administrator', 'add', 'anna-2', '--public-key', sandbox.path('anna.pub')))
        .message,
    ).toContain('one person has one name');
  });

  it('is refused by the service itself to a person who has not begun it', async () => {
    await sandbox.withRuntime(async ({ services, trustAdministration }) => {
      const anna = { through: 'console', person: 'anna', knownBy: 'login' } as const;
      const party = { identifier: '2.999.61', role: 'operator' } as const;
      await expect(services.parties.add('cd'.repeat(32), party, anna)).rejects.toMatchObject({
        code: 'requesterNotAllowed',
      });
      await expect(
        trustAdministration.revokeEuicc('89049032123451234512345678901235', anna),
      ).rejects.toMatchObject({
        code: 'requesterNotAllowed',
      });
    });
  });
});

describe('a key ceremony', { tags: ['CEREMONY'] }, () => {
  const hold = (...more: string[]) => [
    'ceremony',
    'hold',
    '--role',
    'binding',
    '--key',
    'softkey:path=keys/ceremony.key',
    '--witness',
    'Carla C.',
    '--witness',
    'Dan D.',
    '--organization',
    'Example',
    '--name',
    'SM-DPf',
    '--smdp-oid',
    '2.999.10',
    '--out',
    sandbox.path('ceremony.csr'),
    '--report',
    sandbox.path('ceremony.json'),
    ...more,
  ];

  it('takes two administrators where making keys does, and two witnesses always', async () => {
    expect((await as('anna', ...hold().toSpliced(6, 2))).code).toBe(2);
    const { request } = await refused('anna', ...hold());
    await as('ben', 'approvals', 'approve', request);
    const held = await as('anna', ...hold());
    expect(held.code).toBe(0);
    const steps = held.json<{ report: { steps: { step: string }[] } }>().report.steps;
    expect(steps.map(({ step }) => step)).toEqual([
      'present',
      'place',
      'place of the key',
      'key made',
      'attestation',
      'certification request',
      'shown to work',
    ]);
    const shown = await sandbox.run('audit', 'show', '--event', 'ceremony.held');
    expect(shown.json<{ lines: object[] }>().lines).toMatchObject([
      { about: { witnesses: 'Carla C., Dan D.' }, who: { person: 'anna', approvedBy: 'ben' } },
    ]);
  });

  it('has a report that verifies, and not with one octet changed', async () => {
    const report = readFileSync(sandbox.path('ceremony.json'), 'utf8');
    const { key, jws } = JSON.parse(report) as { key: object; jws: string };
    const keys = await sandbox.file('keys.json', JSON.stringify({ keys: [key] }));
    const verified = (file: string) => runCli('ceremony', 'verify', file, '--keys', keys, '--json');
    expect((await verified(sandbox.path('ceremony.json'))).json()).toMatchObject({
      holds: true,
      signature: 'holds',
    });
    const changed = await sandbox.file('changed.json', report.replace('Carla C.', 'Karla C.'));
    expect(await verified(changed)).toMatchObject({ code: 1 });
    expect(jws.split('.')).toHaveLength(3);
  });

  it('takes the statement of a maker beside it, whose chain holds, and says whether it is over this key', async () => {
    const statement = await sandbox.file('statement.bin', 'as the tool of the maker wrote it');
    const attest = (...more: string[]) =>
      as('anna', 'ceremony', 'attest', sandbox.path('ceremony.json'), '--attestation', statement, ...more);
    const { cert } = selfSigned('Maker');
    const root = await sandbox.file('maker.pem', cert);
    const out = sandbox.path('attested.json');
    // one that is signed by itself and of no CA is no root
    expect((await attest('--chain', root, '--root', root, '--out', out)).code).toBe(2);
    expect((await attest('--chain', root, '--out', out)).code).toBe(2);
    const bare = await attest('--out', out);
    expect(bare.json()).toMatchObject({
      report: { attestation: { octets: 33 }, key: expect.stringContaining('ceremony.key') },
    });
    const { report } = bare.json<{ report: { ceremony: string; chain?: object } }>();
    expect(report.chain).toBeUndefined();
    const { sha256 } = JSON.parse(readFileSync(sandbox.path('ceremony.json'), 'utf8')) as { sha256: string };
    expect(report.ceremony).toBe(sha256);
    expect(
      (await runCli('ceremony', 'verify', out, '--keys', sandbox.path('keys.json'), '--json')).json(),
    ).toMatchObject({ holds: true });
    const shown = await sandbox.run('audit', 'show', '--event', 'ceremony.attested');
    expect(shown.json<{ lines: object[] }>().lines).toMatchObject([{ about: { report: sha256 } }]);
    const changed = await sandbox.file('no-report.json', '{"jws":"a.b.c"}');
    expect(
      (await as('anna', 'ceremony', 'attest', changed, '--attestation', statement, '--out', `${out}2`)).code,
    ).toBe(2);
  });

  it.skipIf(opensslMissing !== undefined)(`has a certificate request that openssl verifies${WHY}`, () => {
    const request = execFileSync(
      'openssl',
      ['req', '-in', sandbox.path('ceremony.csr'), '-verify', '-noout', '-subject'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    expect(request).toContain('SM-DPf');
  });
});
