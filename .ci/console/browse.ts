import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Download, type Page } from 'playwright-core';
import { answerMillion, MILLION } from './million.ts';

/** The console in a browser, as a person goes through it: `browse.ts LINK DEMO-FOLDER`. Ends with what was shown, or with an error. */
const [link = '', demo = ''] = process.argv.slice(2);
const origin = new URL(link).origin;
const { SCREENSHOTS: pictures, SMDPF: smdpf = '', QUESTIONS = '' } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let passed = 0;
const startedAt = performance.now();
async function step(what: string, act: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await act();
  passed += 1;
  console.log(`   ${what} (${Math.round(performance.now() - began)} ms)`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const context: BrowserContext = await browser.newContext({
  ignoreHTTPSErrors: true,
  viewport: { width: 1280, height: 800 },
  colorScheme: 'light',
});
const page = await context.newPage();
page.setDefaultTimeout(30_000);
const problems: string[] = [];
page.on('console', (message) => {
  if (message.type() === 'error') problems.push(`console: ${message.text()}`);
});
page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
page.on('request', (request) => {
  if (!/^(?:blob|data):/.test(request.url()) && new URL(request.url()).origin !== origin)
    problems.push(`request to ${request.url()}`);
});
await page.route('**/ifpp-draft1/ops/*', async (route) => {
  const answer = answerMillion(route.request().url(), route.request().postDataJSON());
  if (answer === undefined) await route.continue();
  else await route.fulfill({ json: answer });
});

/** Goes to a page by its place; it is there when its title is. */
async function open(place: string, title: string | RegExp): Promise<void> {
  await page.goto(`${origin}/#/${place}`);
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  await settled();
}

/** Pages that ask again and again are never idle: what was asked for first is there after a moment. */
const settled = () => page.waitForTimeout(600);

/** What axe finds on the page as it is: nothing. Rules of WCAG 2.0 to 2.2, levels A and AA, and its best practices. */
async function accessible(of: Page, where: string): Promise<void> {
  await of.evaluate(axe);
  const violations = await of.evaluate(async () => {
    const { violations: found } = await (
      globalThis as unknown as {
        axe: {
          run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
        };
      }
    ).axe.run();
    return found.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 300)} ${failureSummary}`).join('\n  ')}`,
    );
  });
  assert.deepEqual(violations, [], `${where} has violations:\n${violations.join('\n')}`);
}

async function picture(name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `console-${name}.png`) });
}

await step('nobody gets in without a login', async () => {
  await page.goto(origin);
  await page.getByRole('heading', { name: 'SM-DPf console' }).waitFor();
  await accessible(page, 'the login');
});

await step('the link logs in, and is gone from the address', async () => {
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  assert.equal(page.url().includes('login='), false);
});

/** The table of docs/operators.md: what an Operator asks every day, and where the console answers it. */
function questions(): { question: string; console: string }[] {
  const rows = readFileSync(QUESTIONS, 'utf8').matchAll(/^\| ([^|]+\?) \| `smdpf [^`]+` \| ([^|]+) \|$/gm);
  const found = [...rows].map(([, question, told]) => ({ question: question!, console: told! }));
  assert.deepEqual(
    found.map(({ question }) => question),
    Object.keys(ANSWERS),
  );
  return found;
}

/** What the page says that answers each question, whatever the data. */
const ANSWERS: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  'Which profiles are on this device?': [/^Device /, 'Installed', /^One-time keys/],
  'What became of this ICCID?': [/^Profile /, 'History', 'Bound'],
  'How many profiles of each order are left?': ['DEMO-1', /\d+ Available/],
  'What failed today, why, and what is to be done?': ['By code', 'eidUnknown', /have the EUM register/],
  'What ends within 90 days?': [/(?:Ends|Nothing ends) within 90 days/],
  'Who called what?': ['Calls', 'esbpp.requestBpp'],
  'How far are requests, eUICC data and reports?': ['Requests for Bound Profile Packages', 'Done'],
  'Is all well?': ['Ready for work'],
  'Which callbacks are stuck?': ['None was given up', 'None waits'],
  'Are the revocation lists fresh?': [/^revocation list$/, 'current'],
  'How many one-time keys are left?': ['One-time keys left', '2.999.50'],
  'How is a party kept out?': [/2\.999\.51 is suspended/],
};

/** Clicks what people see: a page in the list of pages, or a button, in the row of the party where there are many. */
async function clicked(what: string): Promise<void> {
  const link = page.getByRole('navigation').getByRole('link', { name: what, exact: true });
  const button = page.getByRole('row').filter({ hasText: '2.999.51' }).getByRole('button', { name: what });
  await link.or(button).first().click();
}

/** A profile of the order that is on a device. */
const known = { eid: '', iccid: '' };

const PAGES: readonly (readonly [place: string, title: string | RegExp, shows: string])[] = [
  ['overview', 'Overview', 'Ready for work'],
  ['orders', 'Orders', 'DEMO-1'],
  ['orders/DEMO-1', 'Order DEMO-1', 'States over time'],
  ['jobs', 'Jobs', 'Requests for Bound Profile Packages'],
  ['devices', 'Devices', 'EID or ICCID'],
  ['failures', 'Failures', 'By code'],
  ['trust', 'Trust and keys', 'Certificates, lists and keys'],
  ['parties', 'Parties', 'device-maker'],
  ['callbacks', 'Callbacks', 'Given up'],
  ['audit', 'Audit', 'console.login'],
  ['inspect', 'Inspect', 'Drop an artefact here|Choose a file'],
];
for (const [place, title, shows] of PAGES)
  await step(`${place} shows what the demo made, and axe finds nothing`, async () => {
    await open(place, title);
    await page.getByRole('main').getByText(new RegExp(shows)).first().waitFor();
    await accessible(page, place);
    await picture(place.replace('/', '-').toLowerCase());
  });

await step('the same in dark', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const place of ['overview', 'orders/DEMO-1', 'failures', 'trust', 'audit']) {
    await open(place, /./);
    await accessible(page, `${place} in dark`);
    if (place === 'overview') await picture('overview-dark');
  }
  await page.emulateMedia({ colorScheme: 'light' });
});

await step('a profile of the order leads to its history, and its device', async () => {
  await open('orders/DEMO-1', 'Order DEMO-1');
  const grid = page.getByRole('grid', { name: 'Profiles of the order' });
  await grid.getByText('8900 1000').first().waitFor();
  await grid.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /^Profile 8900/ }).waitFor();
  known.iccid = decodeURIComponent(page.url().split('/devices/')[1]!);
  await page.getByRole('main').getByText('History').first().waitFor();
  await accessible(page, 'a profile');
  const device = page
    .locator('a[href^="#/devices/"]')
    .filter({ hasText: /^(?:\d{4} ){7}\d{4}$/ })
    .first();
  await device.click();
  await page.getByRole('heading', { level: 1, name: /^Device / }).waitFor();
  await settled();
  await accessible(page, 'a device');
  known.eid = decodeURIComponent(page.url().split('/devices/')[1]!);
  await picture('device');
});

await step('the search finds an order, and says where there is nothing', async () => {
  const search = page.getByRole('searchbox', { name: /^Find by/ });
  await search.fill('DEMO-1');
  await search.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Order DEMO-1' }).waitFor();
  await search.fill('NO-SUCH-ORDER');
  await search.press('Enter');
  await page.getByText('Nothing here has this').waitFor();
});

await step('a filter stays while somebody looks elsewhere', async () => {
  await open('orders/DEMO-1', 'Order DEMO-1');
  await page.getByRole('button', { name: /State of the profiles/ }).click();
  await page.getByRole('option', { name: 'Installed' }).click();
  await page.getByRole('grid', { name: /that are Installed/ }).waitFor();
  await open('jobs', 'Jobs');
  await open('orders/DEMO-1', 'Order DEMO-1');
  await page.getByRole('grid', { name: /that are Installed/ }).waitFor();
});

for (const { question, console: told } of questions())
  await step(`${question} ${told}`, async () => {
    const shows = ANSWERS[question];
    assert.ok(shows !== undefined, `${question} is not tried here`);
    await open('audit', 'Audit');
    const place = /^the (EID|ICCID) in the field/.exec(told)?.[1];
    if (place !== undefined) {
      const search = page.getByRole('searchbox', { name: /^Find by/ });
      await search.fill(place === 'EID' ? known.eid : known.iccid);
      await search.press('Enter');
    }
    const clicks = [...told.matchAll(/\*\*(.+?)\*\*/g)].map(([, what]) => what!);
    assert.ok(clicks.length <= 2, `${clicks.length} clicks`);
    for (const what of clicks) await clicked(what);
    if (told.endsWith('its name typed')) {
      await page.getByRole('dialog').getByRole('textbox').fill('2.999.51');
      await page.keyboard.press('Enter');
    }
    for (const text of shows)
      await page.getByRole('main').getByText(text).filter({ visible: true }).first().waitFor();
  });

await step('the party that was kept out may call again', async () => {
  await page.getByRole('row').filter({ hasText: '2.999.51' }).getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await page.getByText('2.999.51 may call again').first().waitFor();
});

await step('names from outside are text, and run nothing', async () => {
  await open('parties', 'Parties');
  await page.getByText('<img src=x onerror=').first().waitFor();
  assert.equal(await page.evaluate(() => 'broken' in globalThis), false);
});

await step('a change asks first, is made, and stands in the audit log under a name', async () => {
  await open('parties', 'Parties');
  const row = page.getByRole('row').filter({ hasText: '2.999.51' });
  await row.getByRole('button', { name: 'Suspend' }).click();
  const dialog = page.getByRole('dialog', { name: 'Suspend?' });
  const confirm = dialog.getByRole('button', { name: 'Suspend' });
  assert.equal(await confirm.isEnabled(), false);
  await accessible(page, 'the confirmation');
  await picture('confirm');
  await dialog.getByRole('textbox').fill('2.999.51');
  await confirm.click();
  await page.getByText('2.999.51 is suspended').first().waitFor();
  await row.getByText('suspended').waitFor();
  await row.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await page.getByText('2.999.51 may call again').first().waitFor();
  await open('audit', 'Audit');
  await page.waitForTimeout(1_500);
  await page.getByRole('button', { name: 'Refresh' }).click();
  const line = page.getByRole('row').filter({ hasText: 'party.suspended' }).first();
  await line.getByText(/\(console\)/).waitFor();
});

await step('the chain is verified in the browser', async () => {
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/The chain holds: \d+ lines/).waitFor();
});

await step('an export is signed, and smdpf statement verify holds it', async () => {
  for (const [item, ending] of [
    ['CSV, signed', 'csv'],
    ['JSON, signed', 'jsonl'],
  ] as const) {
    const downloads: Download[] = [];
    const keep = (download: Download) => downloads.push(download);
    page.on('download', keep);
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('menuitem', { name: item }).click();
    for (let tries = 0; downloads.length < 2 && tries < 100; tries++) await page.waitForTimeout(100);
    page.off('download', keep);
    const files = await Promise.all(
      downloads.map(async (download) => {
        const path = join(demo, download.suggestedFilename());
        await download.saveAs(path);
        return path;
      }),
    );
    const content = files.find((file) => file.endsWith(ending))!;
    const statement = files.find((file) => file.endsWith('.json'))!;
    const verify = (path: string) =>
      execFileSync(process.execPath, [
        smdpf,
        'statement',
        'verify',
        statement,
        '--keys',
        join(demo, 'server-keys.json'),
        '--content',
        path,
        '--json',
      ]);
    assert.match(String(verify(content)), /"content": ?"holds"/);
    writeFileSync(`${content}.changed`, `${readFileSync(content, 'utf8')} `);
    assert.throws(() => verify(`${content}.changed`));
  }
});

await step('artefacts are looked at in the browser as smdpf inspect does it, and sent nowhere', async () => {
  await open('inspect', 'Inspect');
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  for (const file of artefacts()) {
    const said = JSON.parse(String(execFileSync(process.execPath, [smdpf, 'inspect', file, '--json']))) as {
      artefacts: { title: string }[];
    };
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByRole('heading', { level: 2, name: said.artefacts[0]!.title }).waitFor();
    assert.deepEqual(await inspectedInBrowser(file), said.artefacts, file);
  }
  assert.deepEqual(sent, []);
  await accessible(page, 'an artefact');
  await picture('inspect');
});

/** Files of the demo that say something: DER of every kind, and certificates. */
function artefacts(): string[] {
  return readdirSync(demo, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:der|crl|bpp|upp)$/.test(name) && !/key/i.test(name))
    .slice(0, 12)
    .map((name) => join(demo, name));
}

async function inspectedInBrowser(file: string): Promise<unknown> {
  const octets = readFileSync(file).toString('base64');
  const worker = /\/assets\/worker-[\w-]+\.js/.exec(await scripts())![0];
  return await page.evaluate(
    async ([path, base64]) => {
      const one = new Worker(path!, { type: 'module' });
      const answer = new Promise((resolve) => {
        one.onmessage = ({ data }) => resolve(data.inspection?.artefacts ?? data);
      });
      const given = Uint8Array.from(atob(base64!), (char) => char.charCodeAt(0));
      one.postMessage(given.buffer);
      return await answer;
    },
    [worker, octets],
  );
}

/** The text of the pages' script. */
async function scripts(): Promise<string> {
  return await page.evaluate(async () => {
    const { src } = document.querySelector<HTMLScriptElement>('script[type=module]')!;
    return await (await fetch(src)).text();
  });
}

await step('a million profiles are scrolled and searched without a stall', async () => {
  await open(`orders/${MILLION}`, `Order ${MILLION}`);
  const grid = page.getByRole('grid', { name: 'Profiles of the order' });
  await grid.focus();
  await page.evaluate(() => {
    const stalls: number[] = [];
    Object.assign(globalThis, { stalls });
    new PerformanceObserver((list) =>
      stalls.push(...list.getEntries().map(({ duration }) => duration)),
    ).observe({ type: 'longtask' });
  });
  await page.keyboard.press('End');
  await grid.getByText('999,999').waitFor();
  for (let i = 0; i < 30; i++) {
    await grid.evaluate((box, part) => {
      box.scrollTop = box.scrollHeight * part;
    }, i / 30);
    await page.waitForTimeout(20);
  }
  await page.keyboard.press('Home');
  await grid.getByText('0', { exact: true }).first().waitFor();
  const goTo = page.getByRole('searchbox', { name: 'Go to an ICCID or a position' });
  await goTo.fill('654321');
  await goTo.press('Enter');
  await grid.getByText('654,321').waitFor();
  await goTo.fill('8999100000001234567');
  await goTo.press('Enter');
  await grid.getByText('123,456').waitFor();
  const rows = await grid.getByRole('row').count();
  assert.ok(rows < 40, `${rows} rows are in the page`);
  const stalls = await page.evaluate(() => (globalThis as unknown as { stalls: number[] }).stalls);
  console.log(`   ${rows} rows in the page; the longest task took ${Math.round(Math.max(0, ...stalls))} ms`);
  await accessible(page, 'a million profiles');
  await picture('million');
});

await step('logging out ends the session, in every tab', async () => {
  const other = await context.newPage();
  await other.goto(`${origin}/#/orders`);
  await other.getByRole('heading', { level: 1, name: 'Orders' }).waitFor();
  await page
    .getByRole('button', { name: /root|administrator/ })
    .first()
    .click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'SM-DPf console' }).waitFor();
  await other.reload();
  await other.getByText('Whoever starts the server').waitFor();
  await other.close();
});

await step('the link is good for nothing any more', async () => {
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByText('the link was used before').waitFor();
});

await browser.close();
const unexpected = problems.filter((one) => !/403 \(Forbidden\)/.test(one));
assert.deepEqual(unexpected, [], unexpected.join('\n'));
console.log(`${passed} passed, 0 failed`);
console.log(`   in ${Math.round((performance.now() - startedAt) / 1000)} s`);
