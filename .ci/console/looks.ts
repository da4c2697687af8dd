import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { Person } from './person.ts';

interface Looks {
  readonly anna: Person;
  readonly step: (what: string, act: () => Promise<void>) => Promise<void>;
}

/** What all pages have in common, and the overview: alarms, addresses that hold filters, times, copies, errors. */
export async function tryLooks({ anna, step }: Looks): Promise<void> {
  const { page } = anna;
  const open = anna.open.bind(anna);
  await step(
    'the overview tells of alarms, of today, of slow keys and of what ends, from what the demo did',
    async () => {
      await open('overview', 'Overview');
      const main = page.getByRole('main');
      for (const title of ['Today', 'Slow keys', /^Failures of today/, /^Ends within 30 days/])
        await main.getByRole('heading', { name: title }).first().waitFor();
      const answer = (await asked(page, 'ops.getOverview')) as { today: Record<string, number> };
      const bound = ['Bound', 'Delivered', 'Installed', 'Failed', 'Unreported', 'Deleted'];
      const figures = {
        Bound: bound.reduce((sum, state) => sum + (answer.today[state] ?? 0), 0),
        Installed: answer.today.Installed ?? 0,
        Failed: answer.today.Failed ?? 0,
      };
      assert.ok(figures.Bound > 0 && figures.Installed > 0 && figures.Failed > 0, JSON.stringify(figures));
      for (const [label, value] of Object.entries(figures))
        await main
          .getByRole('term')
          .filter({ hasText: label })
          .or(main.getByText(label))
          .first()
          .waitFor()
          .then(() =>
            main
              .getByRole('link', { name: String(value), exact: true })
              .first()
              .waitFor(),
          );
    },
  );

  await step('an alarm says what is ill, and where to look', async () => {
    await page.route('**/ops/getOverview', async (route) => {
      const answer = await (await route.fetch()).json();
      const slow = { key: 'pkcs11:token=hsm', call: 'sign', reason: 'slow', times: 3, waitedMs: 4_200 };
      const ill = { name: 'CRLs', state: 'ill', problem: 'the list of CN=CI ended yesterday' };
      const end = {
        kind: 'dppb',
        name: 'CN=DPpb',
        daysLeft: 3,
        notAfter: answer.at,
        todo: 'install another',
      };
      await route.fulfill({
        json: {
          ...answer,
          slowKeys: [{ ...slow, at: answer.at }],
          expiring: [end],
          callbacks: { waiting: 0, parked: 2, more: false },
          health: { ready: false, checks: [ill] },
        },
      });
    });
    await open('overview', 'Overview');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('4 alarms').waitFor();
    for (const text of [
      'CRLs: the list of CN=CI ended yesterday',
      'CN=DPpb ends in 3 days: install another',
      '2 callbacks were given up',
      'pkcs11:token=hsm is slow',
    ])
      await page.getByText(text).first().waitFor();
    await page.getByText('Not ready for work').waitFor();
    await anna.accessible('alarms');
    await anna.picture('alarms');
    await page.unroute('**/ops/getOverview');
  });

  await step(
    'a filter is in the address: a link has it, the way back too, and it comes back with the page',
    async () => {
      await open('failures?kind=item&days=7', 'Failures');
      await page.getByRole('button', { name: /^Kind/ }).getByText('Binding').waitFor();
      await open('overview', 'Overview');
      await page.goBack();
      await page.getByRole('heading', { level: 1, name: 'Failures' }).waitFor();
      assert.match(page.url(), /kind=item/);
      await open('failures', 'Failures');
      await page.waitForFunction(() => location.hash.includes('kind=item'));
      await open('jobs?tab=reports', 'Jobs');
      await page.getByRole('heading', { name: /^Loading reports/ }).waitFor();
    },
  );

  await step('times are in UTC, or in the zone of the browser for who wants that', async () => {
    await open('orders/DEMO-1', 'Order DEMO-1');
    const taken = page.getByRole('main').locator('time').first();
    assert.match(await taken.innerText(), / UTC$/);
    assert.match((await taken.getAttribute('title')) ?? '', /UTC\n.* GMT\+[12]\n/);
    for (const [zone, ending] of [
      ['Europe/Rome', / GMT\+[12]$/],
      ['UTC', / UTC$/],
    ] as const) {
      await page.getByRole('button', { name: /root/ }).first().click();
      await page.getByRole('menuitem', { name: new RegExp(`^${zone}`) }).click();
      await page.getByRole('heading', { level: 1, name: 'Order DEMO-1' }).waitFor();
      assert.match(await taken.innerText(), ending);
    }
  });

  await step('an identifier is copied whole by its button', async () => {
    await page.getByRole('button', { name: 'Copy order' }).first().click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'DEMO-1');
  });

  await step('what goes wrong is told with its call and a way out, and tried again', async () => {
    await page.route('**/ops/listOrders', (route) =>
      route.fulfill({ status: 503, json: { error: 'too much at once' } }),
    );
    await open('orders', 'Orders');
    await page.getByText('The server is busy: try again in a moment.').waitFor();
    await page
      .getByText(/^console-[a-z0-9]+-[a-z0-9]+$/)
      .first()
      .waitFor();
    await anna.accessible('what went wrong');
    await page.unroute('**/ops/listOrders');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'DEMO-1' }).first().waitFor();
  });
}

/** A function as the pages call it. */
function asked(page: Page, name: string): Promise<unknown> {
  return page.evaluate(
    async (path) => {
      const { csrf } = await (await fetch('/session')).json();
      const header = { functionRequesterIdentifier: 'console', functionCallIdentifier: 'console-check' };
      const response = await fetch(`/ifpp-draft1/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-admin-protocol': 'ifpp-draft/v1.0.0',
          'x-csrf-token': csrf,
        },
        body: JSON.stringify({ header }),
      });
      return await response.json();
    },
    name.replace('.', '/'),
  );
}
