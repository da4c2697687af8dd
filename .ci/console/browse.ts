import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Download } from 'playwright-core';
import { tryChanges } from './changes.ts';
import { tryLooks } from './looks.ts';
import { answerMillion, MILLION } from './million.ts';
import { Person } from './person.ts';

/** The console in a browser, as a person goes through it: `browse.ts LINK DEMO-FOLDER`. Ends with what was shown, or with an error. */
const [link = '', demo = ''] = process.argv.slice(2);
const origin = new URL(link).origin;
const { SMDPF: smdpf = '', QUESTIONS = '' } = process.env;

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
const anna = await Person.sitsDown(browser, origin);
const { page, context } = anna;
const open = anna.open.bind(anna);
await page.route('**/ifpp-draft1/ops/*', async (route) => {
  const answer = answerMillion(route.request().url(), route.request().postDataJSON());
  if (answer === undefined) await route.continue();
  else await route.fulfill({ json: answer });
});

await step('nobody gets in without a login', async () => {
  await page.goto(origin);
  await page.getByRole('heading', { name: 'SM-DPf console' }).waitFor();
  await anna.accessible('the login');
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
  ['approvals', 'Approvals', 'Nothing waits for a second administrator'],
  ['parties', 'Parties', 'device-maker'],
  ['callbacks', 'Callbacks', 'Given up'],
  ['audit', 'Audit', 'console.login'],
  ['inspect', 'Inspect', 'Drop an artefact here|Choose a file'],
];
for (const [place, title, shows] of PAGES)
  await step(
    `${place} shows what the demo made, on a tablet too, and axe finds nothing in light and dark`,
    async () => {
      await open(place, title);
      await page.getByRole('main').getByText(new RegExp(shows)).filter({ visible: true }).first().waitFor();
      const name = place.replace('/', '-').toLowerCase();
      await anna.picture(name);
      await anna.accessible(place);
      await anna.fitsTablet(place);
      await anna.inColours('dark');
      await anna.accessible(`${place} in dark`);
      if (place === 'overview') await anna.picture('overview-dark');
      await anna.inColours('light');
    },
  );

await tryLooks({ anna, step });

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
  await anna.accessible('a profile');
  const device = page
    .locator('a[href^="#/devices/"]')
    .filter({ hasText: /^(?:\d{4} ){7}\d{4}$/ })
    .first();
  await device.click();
  await page.getByRole('heading', { level: 1, name: /^Device / }).waitFor();
  await anna.settled();
  await anna.accessible('a device');
  known.eid = decodeURIComponent(page.url().split('/devices/')[1]!);
  await anna.picture('device');
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
  await anna.accessible('the confirmation');
  await anna.picture('confirm');
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
  await anna.accessible('an artefact');
  await anna.picture('inspect');
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
  await anna.accessible('a million profiles');
  await anna.picture('million');
});

const certificateOf = (client: string) => ({
  certPath: join(demo, 'smdpf/tls', `client-${client}.cert.pem`),
  keyPath: join(demo, 'smdpf/tls', `client-${client}.key.pem`),
});
const ben = await Person.sitsDown(browser, origin, certificateOf('administrator-2.999.80'));
const vera = await Person.sitsDown(browser, origin, certificateOf('viewer-2.999.90'));
await tryChanges({ anna, ben, vera, work: import.meta.dirname, step });

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
// what is refused on purpose above
const unexpected = [anna, ben, vera]
  .flatMap(({ problems }) => problems)
  .filter((one) => !/40[13] \(|503 \(/.test(one));
assert.deepEqual(unexpected, [], unexpected.join('\n'));
console.log(`${passed} passed, 0 failed`);
console.log(`   in ${Math.round((performance.now() - startedAt) / 1000)} s`);
