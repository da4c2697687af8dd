import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { generateKey, SimCi, SimEum } from '../../sim/index.ts';
import { DEVICE_MAKER, OPERATOR } from '../support/deployment.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';
import { SANDBOX_EUM_CALLER, SandboxFolder } from './support/sandbox-folder.ts';

let sandbox: SandboxFolder;
/** Two eUICCs of the sandbox's EUM, each with a bound profile of order ORD-1. */
let eids: string[];
let eumKeyId: string;

beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  eumKeyId = toHex(sandbox.eum.ca.keyId);
  eids = await sandbox.withRuntime(async ({ services }) => {
    const euiccs = [...sandbox.eum.production(2, 2)];
    const batch = sandbox.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
    await services.ingest.registerEuiccData(SANDBOX_EUM_CALLER, batch);
    await services.orders.prepareProfiles(OPERATOR, {
      orderId: 'ORD-1',
      profileType: 'test',
      quantity: 2,
      requesterDms: [DEVICE_MAKER.identifier],
      template: ownTemplate(),
      personalisation: { iccidStart: '890000000000000000', keys: 'template' },
      eligibility: {},
      metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
    });
    const answer = await services.delivery.requestBpp(
      DEVICE_MAKER,
      encodeBppRequest({
        requestId: '01',
        orderId: 'ORD-1',
        euiccData: undefined,
        items: euiccs.map(({ eid }, i) => ({
          itemId: i + 1,
          eid,
          keyId: undefined,
          iccid: undefined,
          additional: false,
        })),
      }),
    );
    expect(answer.failed).toEqual([]);
    return euiccs.map(({ eid }) => eid);
  });
});
afterAll(() => sandbox?.remove());

const run = (...args: string[]) => sandbox.run('trust', ...args);

const refused = (...args: string[]) => sandbox.refused('trust', ...args);

interface Listing {
  readonly policy: object;
  readonly epoch: number;
  readonly cis: { keyId: string; sha256: string; forSigning: boolean; forVerification: boolean }[];
  readonly eums: { keyId: string; party: string; certificates: string[] }[];
  readonly dpPbs: { sha256: string; state: string }[];
  readonly crls: { issuerKeyId: string; number: string; revoked: number }[];
  readonly problems: string[];
}
const list = async () => (await run('list')).json<Listing & Record<string, never>>();

const sha256 = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');

it('smdpf trust list gives what is configured, as a document and as tables', async () => {
  const listing = await list();
  expect(listing.cis).toEqual([
    {
      keyId: toHex(sandbox.ci.keyId),
      sha256: sha256(sandbox.ci.certificate),
      subject: expect.stringContaining('CN='),
      notAfter: expect.stringMatching(/^20\d\d-/),
      forSigning: true,
      forVerification: true,
    },
  ]);
  const certificates = [sha256(sandbox.eum.ca.certificate)];
  expect(listing.eums).toEqual([{ keyId: eumKeyId, party: '2.999.40', certificates }]);
  expect(listing.dpPbs).toMatchObject([{ state: 'active' }]);
  expect(listing.problems).toEqual([]);
  const { code, stdout } = await runCli('trust', 'list', '--folder', sandbox.folder);
  expect(code).toBe(0);
  for (const shown of [eumKeyId, '2.999.40', 'missing: refuse, expired: refuse'])
    expect(stdout).toContain(shown);
});

describe('smdpf trust: CIs', () => {
  it('come for both selections or for one, and go', { tags: ['CERT-CI-LISTS'] }, async () => {
    const other = SimCi.create({ curve: 'brainpoolP256r1' });
    const file = await sandbox.file('ci.der', other.certificate);
    const keyId = toHex(other.keyId);
    const added = await run('add-ci', file, '--for-signing');
    const own = { keyId, sha256: sha256(other.certificate), forSigning: true, forVerification: false };
    expect(added.json()).toMatchObject({ ...own, isNew: true, besides: [] });
    expect((await list()).cis).toContainEqual(expect.objectContaining(own));
    // colons and capitals, as other tools print key identifiers
    const written = keyId.toUpperCase().replace(/..(?=.)/g, '$&:');
    expect((await run('remove-ci', written)).json()).toMatchObject({ keyId, removed: [own], left: [] });
    expect((await list()).cis).toHaveLength(1);
    expect(await refused('remove-ci', keyId)).toMatchObject({ code: 'ciUnknown', exitCode: 1 });
  });

  it('of one key stand beside each other, each by its own name, and go together or one by one', async () => {
    const first = SimCi.create({ cn: 'Old Test CI' });
    const second = SimCi.create({ cn: 'Test CI', key: first.key });
    const keyId = toHex(first.keyId);
    const [a, b] = [sha256(first.certificate), sha256(second.certificate)];
    const files = [
      await sandbox.file('first.der', first.certificate),
      await sandbox.file('second.der', second.certificate),
    ] as const;
    await run('add-ci', files[0], '--for-signing');
    const added = await run('add-ci', files[1]);
    expect(added.json()).toMatchObject({ sha256: b, isNew: true, besides: [{ sha256: a }] });
    const { epoch } = await list();
    expect((await run('add-ci', files[1])).json()).toMatchObject({ isNew: false });
    expect((await list()).epoch).toBe(epoch);
    // a use that is added takes none away
    const used = await run('add-ci', files[0], '--for-verification');
    expect(used.json()).toMatchObject({ isNew: true, forSigning: true, forVerification: true });

    const told = await runCli('trust', 'remove-ci', a, '--folder', sandbox.folder);
    expect(told.stdout).toMatch(/removed: CN=Old Test CI.*\ntrusted still, of the same key: CN=Test CI/);
    await run('add-ci', files[0]);
    const removed = (await run('remove-ci', keyId)).json<{ removed: object[] }>();
    expect(removed).toMatchObject({ keyId, left: [] });
    expect(removed.removed).toHaveLength(2);
    expect((await list()).cis).toHaveLength(1);
    expect(await refused('remove-ci', a)).toMatchObject({ code: 'ciUnknown' });
  });

  it('are refused where the file is missing, no certificate or the certificate of another role', async () => {
    const garbage = await sandbox.file('garbage', 'no certificate at all');
    const eum = await sandbox.file('eum.der', sandbox.eum.ca.certificate);
    expect(await refused('add-ci', garbage)).toMatchObject({ code: 'protocolFormat', exitCode: 1 });
    expect(await refused('add-ci', eum)).toMatchObject({ code: 'ciUnknown', exitCode: 1 });
    const missing = await refused('add-ci', sandbox.path('nothing'));
    expect(missing).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(missing.message).toContain('no such file');
    expect(await refused('remove-ci', 'xyz')).toMatchObject({ code: 'usage', exitCode: 2 });
  });
});

describe('smdpf trust: revocation lists', () => {
  it('come from a file, once, and go forward only', async () => {
    const file = await sandbox.file('crl.der', sandbox.ci.issueCrl({ number: 7 }));
    expect((await run('add-crl', file)).json()).toMatchObject({ isNew: true, number: '7', revoked: 0 });
    expect((await run('add-crl', file)).json()).toMatchObject({ isNew: false });
    const older = await sandbox.file('older.der', sandbox.ci.issueCrl({ number: 6 }));
    expect(await refused('add-crl', older)).toMatchObject({ code: 'crlInvalid', exitCode: 1 });
  });

  it('of an issuer that is not known need its chain', async () => {
    const ca = sandbox.ci.issueEum({ cRLSign: true, organization: 'Another EUM', iin: '89033023' });
    const crl = await sandbox.file('eum-crl.der', ca.issueCrl());
    expect(await refused('add-crl', crl)).toMatchObject({ code: 'crlInvalid', exitCode: 1 });
    const issuer = await sandbox.file('eum-ca.der', ca.certificate);
    expect((await run('add-crl', crl, '--issuer', issuer)).json()).toMatchObject({ isNew: true });
  });

  it('are fetched from the distribution points, and a point that fails is told', async () => {
    const { code, json } = await run('fetch-crls');
    expect(code).toBe(1);
    const { points } = json<{ points: { point: string; outcome: string; message: string }[] }>();
    expect(points).toMatchObject([{ point: sandbox.ci.crlUrl, outcome: 'failed' }]);
  });

  it('have a policy whose two halves stand by themselves', async () => {
    expect((await run('policy')).json()).toEqual({ missing: 'refuse', expired: 'refuse' });
    expect((await run('policy', '--missing', 'accept')).json()).toEqual({
      missing: 'accept',
      expired: 'refuse',
    });
    expect((await run('policy', '--expired', 'accept')).json()).toEqual({
      missing: 'accept',
      expired: 'accept',
    });
    await run('policy', '--missing', 'refuse', '--expired', 'refuse');
    expect((await list()).policy).toEqual({ missing: 'refuse', expired: 'refuse' });
    expect(await refused('policy', '--missing', 'ignore')).toMatchObject({ code: 'usage', exitCode: 2 });
  });
});

describe('smdpf trust: the binding certificate', () => {
  it('is installed only with its own key and under a trusted CI, and retired', async () => {
    const other = SimCi.create({ curve: 'p256' });
    const [installed] = (await list()).dpPbs;
    const file = await sandbox.file('dppb.der', other.issueDpPb(generateKey('p256'), { oid: '2.999.10' }));
    const key = `softkey:path=${sandbox.folder}/keys/dppb-p256.key`;
    const into = ['install-dppb', file, '--key', key, '--ci'];
    expect(await refused(...into, toHex(other.keyId))).toMatchObject({ code: 'ciUnknown', exitCode: 1 });
    expect(await refused(...into, toHex(sandbox.ci.keyId))).toMatchObject({ exitCode: 1 });
    expect(await refused(...into, 'zz')).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(await refused('retire-dppb', '00'.repeat(32))).toMatchObject({ code: 'noDpChain', exitCode: 1 });
    expect((await run('retire-dppb', installed!.sha256)).code).toBe(0);
    expect((await list()).dpPbs).toMatchObject([{ state: 'retired' }]);
  });
});

describe('smdpf trust: revocation by hand', () => {
  it('what is bound is listed by EUM and by EID', async () => {
    const byEum = (await run('bound', '--eum', eumKeyId)).json<{ bound: { eid: string }[] }>();
    expect(byEum.bound.map(({ eid }) => eid).sort()).toEqual([...eids].sort());
    const byEid = (await run('bound', '--eid', eids[0]!)).json<{ bound: object[] }>();
    expect(byEid.bound).toMatchObject([{ eid: eids[0], orderId: 'ORD-1', party: DEVICE_MAKER.identifier }]);
    expect(await refused('bound')).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(await refused('bound', '--eum', eumKeyId, '--eid', eids[0]!)).toMatchObject({ code: 'usage' });
    expect(await refused('bound', '--eid', '12')).toMatchObject({ code: 'eidMalformed', exitCode: 1 });
  });

  it('of an eUICC tells what is bound to it', async () => {
    const answer = (await run('revoke-euicc', eids[0]!)).json<{ bound: object[] }>();
    expect(answer).toMatchObject({ eid: eids[0], bound: [{ eid: eids[0] }] });
    const unknown = sandbox.eum.personalise().eid;
    expect(await refused('revoke-euicc', unknown)).toMatchObject({ code: 'eidUnknown', exitCode: 1 });
  });

  it('of an EUM warns by its list, and takes it off the allow-list', { tags: ['EUMS01'] }, async () => {
    const { serialNumber } = decodeCertificate(sandbox.eum.ca.certificate);
    const list8 = await sandbox.file('crl8.der', sandbox.ci.issueCrl({ number: 8, revoked: [serialNumber] }));
    const taken = await run('add-crl', list8);
    expect(taken.json()).toMatchObject({ revokedEums: [eumKeyId] });
    expect(taken.stderr).toContain(`smdpf trust bound --eum ${eumKeyId}`);
    const answer = (await run('revoke-eum', eumKeyId)).json<{ bound: object[] }>();
    expect(answer.bound).toHaveLength(2);
    expect((await list()).eums).toEqual([]);
    expect(await refused('revoke-eum', eumKeyId)).toMatchObject({ code: 'eumNotAllowed', exitCode: 1 });
  });

  it('an EUM is allowed by its certificate and a party', { tags: ['EUMS01', 'GENS14'] }, async () => {
    const ca = SimEum.create({ ci: sandbox.ci }).ca;
    const file = await sandbox.file('allowed.der', ca.certificate);
    expect((await run('allow-eum', file, '--party', '2.999.41')).json()).toEqual({
      keyId: toHex(ca.keyId),
      party: '2.999.41',
    });
    const stranger = SimEum.create({ ci: SimCi.create() }).ca;
    const early = await run(
      'allow-eum',
      await sandbox.file('early.der', stranger.certificate),
      '--party',
      '2.999.41',
    );
    expect(early.json<{ warnings: string[] }>().warnings).toEqual([expect.stringMatching(/^ciNotTrusted: /)]);
    const usage = await refused('allow-eum', file);
    expect(usage).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(usage.message).toContain('--party');
    expect(await refused('allow-eum', file, '--party', '2.999.41', '--signature', 'optional')).toMatchObject({
      code: 'usage',
    });
    const ci = await sandbox.file('ci-as-eum.der', sandbox.ci.certificate);
    expect(await refused('allow-eum', ci, '--party', '2.999.41')).toMatchObject({
      code: 'eumCertificateInvalid',
      exitCode: 1,
    });
  });
});

it('smdpf trust tells of a folder without a deployment, and makes none', async () => {
  const { code, json } = await runCli('trust', 'list', '--folder', sandbox.path('nowhere'), '--json');
  expect(code).toBe(2);
  expect(json<ErrorDocument>().error).toMatchObject({ code: 'usage' });
  expect(json<ErrorDocument>().error.hint).toContain('smdpf serve');
});
