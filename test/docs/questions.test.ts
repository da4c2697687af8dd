import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { decodeBppBatch, encodeBppRequest, encodeProfileLoadingReport } from '../../sim/index.ts';
import { runCli } from '../cli/support/cli.ts';
import { SANDBOX_EUM_CALLER, SandboxFolder } from '../cli/support/sandbox-folder.ts';
import { DEVICE_MAKER, OPERATOR } from '../support/deployment.ts';
import { LONG } from '../support/effort.ts';

/*
 * What an Operator asks every day (docs/operators.md): each command of the table, by itself, answers its question. On what the
 * demo made in the long run, on a little of the same otherwise; the column of the console is run by .ci/console.sh.
 */

/** What the answer to each question has in it, whatever the data. */
const ANSWERS: Readonly<Record<string, readonly RegExp[]>> = {
  'Which profiles are on this device?': [
    /^EID +\d{32}/m,
    /^8900\d{15,16} .*(?:Installed|Failed|Unreported) /m,
    /one-time key +state/,
  ],
  'What became of this ICCID?': [
    /^ICCID +8900/m,
    /^state +(?:Installed|Failed|Unreported)/m,
    /when +what/,
    /\dZ +ordered/,
    /\dZ +Bound/,
  ],
  'How many profiles of each order are left?': [/^DEMO-1 +Open +\d+ +Available \d+/m],
  'What failed today, why, and what is to be done?': [
    /what it means +what to do/,
    /\d +item +eidUnknown .* have the EUM register/,
  ],
  'What ends within 90 days?': [/^nothing ends within 90 days|^days left +until/],
  'Who called what?': [LONG ? /^minute +party +function +calls/m : /^nobody has called$/m],
  'How far are requests, eUICC data and reports?': [
    /^[0-9A-F]+ +Done +(\d+) +\1 .* DEMO-1 /m,
    /^eUICC data +state +accepted/m,
    /^report +state +verified/m,
  ],
  'Is all well?': [/^all is well/, /profiles +Available \d+/],
  'Which callbacks are stuck?': [/^no callback is stuck/],
  'Are the revocation lists fresh?': [/^fresh +\d+ +20/m],
  'How many one-time keys are left?': [/2\.999\.50 +\d{8} +\d+ +\d+ +\d+/],
  'How is a party kept out?': [/^2\.999\.51 is suspended/],
};

const ROW = /^\| ([^|]+\?) \| `smdpf ([^`]+)` \| [^|]+ \|$/gm;
let asked: readonly (readonly [question: string, command: string])[] = [];

let root: string;
let folder: string;
let names: Readonly<Record<string, string>>;
beforeAll(async () => {
  const page = await readFile('docs/operators.md', 'utf8');
  const [, section = ''] = page.split('\n## What an Operator asks every day\n');
  asked = [...section.matchAll(ROW)].map(([, question = '', command = '']) => [question, command]);
  root = await mkdtemp(join(tmpdir(), 'smdpf-questions-'));
  folder = LONG ? await ofDemo() : await ofSandbox();
  const found = await withDeployment(async ({ services }) =>
    services.inventory.listProfiles({ orderId: 'DEMO-1' }),
  );
  const { eid = '', iccid = '' } = found.profiles.find((one) => one.eid !== undefined) ?? {};
  names = { EID: eid, ICCID: iccid, PARTY: '2.999.51' };
}, 120_000);
afterAll(() => rm(root, { recursive: true, force: true }));

async function withDeployment<T>(work: (runtime: Runtime) => Promise<T>): Promise<T> {
  const runtime = await (await DeploymentFolder.existing(folder)).openRuntime({ lanes: 'inline' });
  try {
    return await work(runtime);
  } finally {
    await runtime.close();
  }
}

async function ofDemo(): Promise<string> {
  const out = join(root, 'demo');
  expect((await runCli('demo', '--devices', '2', '--out', out, '--json')).code).toBe(0);
  return join(out, 'smdpf');
}

/** The same parties and the same order in small: a profile that failed, an eUICC that nobody knows. */
async function ofSandbox(): Promise<string> {
  const sandbox = await SandboxFolder.create();
  root = sandbox.root;
  await sandbox.withRuntime(async ({ services }) => {
    for (const [print, identifier] of [
      ['ab', DEVICE_MAKER.identifier],
      ['cd', '2.999.51'],
    ] as const)
      await services.parties.add(print.repeat(32), { identifier, role: 'deviceMaker' }, 'test');
    const [known, stranger] = [sandbox.eum.personalise({ keys: 2 }), sandbox.eum.personalise()];
    const batch = sandbox.eum.euiccDataBatch([known], { deviceManufacturers: [DEVICE_MAKER.identifier] });
    await services.ingest.registerEuiccData(SANDBOX_EUM_CALLER, batch);
    await services.orders.prepareProfiles(OPERATOR, {
      orderId: 'DEMO-1',
      profileType: 'test',
      quantity: 3,
      requesterDms: [DEVICE_MAKER.identifier],
      template: ownTemplate(),
      personalisation: { iccidStart: '890010000000000000', keys: 'template' },
      eligibility: {},
      metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
    });
    const items = [known, stranger].map(({ eid }, index) => ({ itemId: index + 1, eid }));
    const requestId = randomBytes(8);
    const request = encodeBppRequest({ requestId, orderId: 'DEMO-1', items });
    const { bppBatch } = await services.delivery.requestBpp(DEVICE_MAKER, request);
    const { transactionId } = decodeBppBatch(bppBatch!).items[0]!.bound!;
    const report = encodeProfileLoadingReport({
      reportId: randomBytes(8),
      items: [{ fpaError: { transactionId, eid: known.eid, cause: 'damaged' } }],
    });
    await services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
  });
  return sandbox.folder;
}

it('docs/operators.md answers twelve questions, each by one command', () => {
  expect(asked.map(([question]) => question)).toEqual(Object.keys(ANSWERS));
});

it.each(Object.keys(ANSWERS))('%s', async (question) => {
  const [, command = ''] = asked.find(([one]) => one === question) ?? [];
  const args = command.split(' ').map((word) => names[word] ?? word);
  const { code, stdout, stderr } = await runCli(...args, '--folder', folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const pattern of ANSWERS[question]!) expect(stdout).toMatch(pattern);
  if (command.startsWith('party')) await runCli('party', 'resume', names.PARTY!, '--folder', folder);
});
