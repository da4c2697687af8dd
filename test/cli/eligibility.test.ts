import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { DEVICE_MAKER, OPERATOR } from '../support/deployment.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';
import { SANDBOX_EUM_CALLER, SandboxFolder } from './support/sandbox-folder.ts';

let sandbox: SandboxFolder;
let good: string;
let old: string;

beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  await sandbox.withRuntime(async ({ services }) => {
    const euiccs = [
      sandbox.eum.personalise(),
      sandbox.eum.personalise({ features: { profileVersion: '2.3.1' } }),
    ];
    [good, old] = euiccs.map(({ eid }) => eid) as [string, string];
    const batch = sandbox.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
    await services.ingest.registerEuiccData(SANDBOX_EUM_CALLER, batch);
    for (const orderId of ['ORD-1', 'ORD-2'])
      await services.orders.prepareProfiles(OPERATOR, {
        orderId,
        profileType: 'test',
        quantity: 1,
        requesterDms: [DEVICE_MAKER.identifier],
        template: ownTemplate(),
        personalisation: { iccidStart: `89000000000000${orderId.slice(4)}000`, keys: 'template' },
        eligibility: { minProfileVersion: '3.2.0' },
        metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
      });
    await services.orders.closeOrder(OPERATOR, { orderId: 'ORD-2' });
  });
});
afterAll(() => sandbox?.remove());

const check = (orderId: string, ...args: string[]) =>
  sandbox.run('eligibility', 'check', '--order', orderId, '--operator', OPERATOR.identifier, ...args);

it('smdpf eligibility check says which eUICCs would be refused, and why', async () => {
  const { code, json } = await check('ORD-1', good, old);
  expect(code).toBe(1);
  const { checked, refused } = json<{ checked: number; refused: { refusal: { message: string } }[] }>();
  expect(checked).toBe(2);
  expect(refused).toMatchObject([{ eid: old, refusal: { code: 'notEligible', subjectCode: '8.2.5' } }]);
  expect(refused[0]!.refusal.message).toMatch(/minProfileVersion: 3\.2\.0 .* 2\.3\.1/);
});

it('smdpf eligibility check ends with 0 where no eUICC would be refused', async () => {
  const { code, json } = await check('ORD-1', good);
  expect(code).toBe(0);
  expect(json()).toEqual({ checked: 1, refused: [] });
});

it('smdpf eligibility check reads EIDs from a file, one on each line, beside those that are named', async () => {
  const eids = await sandbox.file('eids', `${old}\r\n\n${'0'.repeat(32)}\n`);
  const { json } = await check('ORD-1', good, '--eids', eids);
  expect(json()).toMatchObject({
    checked: 3,
    refused: [{ refusal: { code: 'notEligible' } }, { refusal: { code: 'eidMalformed' } }],
  });
});

it('smdpf eligibility check of an order that is closed refuses every eUICC', async () => {
  expect((await check('ORD-2', good)).json()).toMatchObject({
    refused: [{ eid: good, refusal: { code: 'orderExpired' } }],
  });
});

it('smdpf eligibility check shows a table to people', async () => {
  const { code, stdout } = await runCli(
    'eligibility',
    'check',
    old,
    ...['--order', 'ORD-1', '--operator', OPERATOR.identifier, '--folder', sandbox.folder],
  );
  expect(code).toBe(1);
  expect(stdout).toContain('1 checked, 1 would be refused');
  expect(stdout).toMatch(new RegExp(`${old} +8\\.2\\.5/4\\.3 +minProfileVersion`));
});

it('smdpf eligibility check wants EIDs, an order and its Operator', async () => {
  const error = async (...args: string[]) =>
    (await sandbox.run('eligibility', 'check', ...args)).json<ErrorDocument>().error;
  const whose = ['--operator', OPERATOR.identifier];
  expect(await error('--order', 'ORD-1', ...whose)).toMatchObject({ code: 'usage', exitCode: 2 });
  expect(await error(good, ...whose)).toMatchObject({ code: 'usage', exitCode: 2 });
  expect(await error(good, '--order', 'ORD-1')).toMatchObject({ code: 'usage', exitCode: 2 });
  expect(await error('--eids', sandbox.path('nothing'), '--order', 'ORD-1', ...whose)).toMatchObject({
    code: 'usage',
    exitCode: 2,
  });
  for (const [order, operator] of [
    ['ORD-9', OPERATOR.identifier],
    ['ORD-1', '2.999.61'],
  ] as const)
    expect(await error(good, '--order', order, '--operator', operator)).toMatchObject({
      code: 'orderUnknown',
      exitCode: 1,
    });
});
