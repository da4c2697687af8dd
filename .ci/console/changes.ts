import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import type { Person } from './person.ts';

/** The changes that the console makes, each asked for again, made, and in the audit log under the name of whoever made it. */
interface Changes {
  readonly anna: Person;
  /** By a client certificate, at another screen. */
  readonly ben: Person;
  readonly vera: Person;
  /** Where keys and lists lie. */
  readonly work: string;
  readonly step: (what: string, act: () => Promise<void>) => Promise<void>;
}

export async function tryChanges({ anna, ben, vera, work, step }: Changes): Promise<void> {
  const { page } = anna;
  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();

  await step('a revocation list is brought', async () => {
    await anna.open('trust', 'Trust and keys');
    await page.locator('input[type=file]').setInputFiles(join(work, 'newer.crl'));
    await confirmed(anna, page, 'Bring list');
    await said('List 2 is taken');
    await inAudit(anna, 'trust.crl.taken', /root \(console\)/);
  });

  await step('a profile that failed is replaced, and one in stock is cancelled by its ICCID', async () => {
    await openFirst(anna, 'Failed');
    await confirmed(anna, page, 'Replace profile');
    await said(/gets another profile with its next request/);
    await inAudit(anna, 'profile.replaced', /root \(console\)/);
    const iccid = await openFirst(anna, 'Available');
    await confirmed(anna, page, 'Cancel profile', iccid);
    await said(`Profile ${iccid} is cancelled`);
  });

  await step('who looks is offered no change', async () => {
    await vera.logInByCertificate();
    for (const [place, title] of [
      ['parties', 'Parties'],
      ['trust', 'Trust and keys'],
      ['orders/DEMO-1', 'Order DEMO-1'],
      ['callbacks', 'Callbacks'],
    ] as const) {
      await vera.open(place, title);
      const offered = vera.page.getByRole('button', {
        name: /^(?:Suspend|Retire|Bring list|Close order|Cancel order|Post again)$/,
      });
      assert.equal(await offered.count(), 0, place);
    }
  });

  await tryDualControl({ anna, ben, vera, work, step });

  await step('an order is closed by its name', async () => {
    await anna.open('orders/DEMO-1', 'Order DEMO-1');
    await confirmed(anna, page, 'Close order', 'DEMO-1');
    await said('Order DEMO-1 is closed');
    await inAudit(anna, 'order.closed', /root \(console\)/);
  });
}

/** The end of a certificate, which takes two administrators here. */
async function tryDualControl({ anna, ben, work, step }: Changes): Promise<void> {
  const key = (name: string) => join(work, `${name}.pem`);
  const binding = anna.page.getByRole('row').filter({ hasText: 'binding certificate' });

  const ask = async () => {
    await anna.open('trust', 'Trust and keys');
    await binding.getByRole('button', { name: 'Retire' }).click();
    const dialog = anna.page.getByRole('dialog', { name: 'Retire?' });
    const confirm = dialog.getByRole('button', { name: 'Ask for a second person' });
    const typed = await dialog.getByText(/^To confirm, type /).innerText();
    await dialog.getByRole('textbox').fill(typed.slice('To confirm, type '.length));
    assert.equal(await confirm.isEnabled(), false);
    await dialog.locator('input[type=file]').setInputFiles(key('anna'));
    await dialog.getByText('You act as anna.').waitFor();
    await anna.accessible('what is asked for');
    await confirm.click();
    await anna.page.getByText('anna has asked for it').first().waitFor();
  };

  await step('a change that takes two waits, with who asked, for what and until when', async () => {
    await ask();
    await binding.getByText('waits for a second person').waitFor();
    await anna.open('approvals', 'Approvals');
    const row = anna.page.getByRole('row').filter({ hasText: 'key.retire' });
    for (const text of ['waiting', 'anna', 'softkey:path=keys/dppb-p256.key', /in 24 h/])
      await row.getByText(text).first().waitFor();
    await anna.accessible('approvals');
    await anna.picture('approvals');
  });

  await step('whoever asked does not agree, neither under the same key nor under another one', async () => {
    for (const [name, says] of [
      ['anna', 'anna asked for this: another administrator has to agree'],
      ['ben', 'asked for this under another key'],
    ] as const) {
      await anna.page.getByRole('button', { name: 'Approve' }).click();
      const dialog = anna.page.getByRole('dialog', { name: 'Approve?' });
      await dialog.locator('input[type=file]').setInputFiles(key(name));
      await dialog.getByText(`You act as ${name}.`).waitFor();
      await dialog.getByRole('button', { name: 'Approve' }).click();
      await dialog.getByText(new RegExp(says, 'i')).waitFor();
      await dialog.getByRole('button', { name: 'Leave as it is' }).click();
    }
  });

  await step(
    'another administrator declines it, at a screen of their own, and nothing is retired',
    async () => {
      await ben.logInByCertificate();
      await ben.open('approvals', 'Approvals');
      await decided(ben, 'Decline', key('ben'));
      await ben.page.getByText('ben has declined').first().waitFor();
      await anna.open('trust', 'Trust and keys');
      await binding.getByText('active').waitFor();
    },
  );

  await step('asked for again it is agreed to, and done by the first one, once', async () => {
    await ask();
    await ben.open('approvals', 'Approvals');
    await ben.page.getByRole('button', { name: 'Refresh' }).click();
    await decided(ben, 'Approve', key('ben'));
    await ben.page.getByText('ben has agreed to').first().waitFor();
    await anna.open('approvals', 'Approvals');
    const name = 'softkey:path=keys/dppb-p256.key';
    await decided(anna, 'Retire', key('anna'), name);
    await anna.page.getByText(`${name} binds nothing any more`).first().waitFor();
    await anna.page.getByText('Nothing waits for a second administrator').waitFor();
    await inAudit(anna, 'approval.requested', /^anna \(console\)$/);
    await inAudit(anna, 'approval.withdrawn', /^ben \(2\.999\.80|ben \(console\)$/);
    await inAudit(anna, 'approval.given', /^ben \(console\)$/);
    await inAudit(anna, 'trust.dppb.retired', /^anna, agreed to by ben \(console\)$/);
  });
}

async function decided(who: Person, label: string, key: string, typed?: string): Promise<void> {
  await who.page.getByRole('button', { name: label, exact: true }).click();
  const dialog = who.page.getByRole('dialog', { name: `${label}?` });
  if (typed !== undefined) await dialog.getByRole('textbox').fill(typed);
  await dialog.locator('input[type=file]').setInputFiles(key);
  await dialog.getByText(/You act as/).waitFor();
  await dialog.getByRole('button', { name: label, exact: true }).click();
}

/** Presses the button of a change, types what it asks for, and confirms. */
async function confirmed(
  who: Person,
  within: Person['page'] | Locator,
  label: string,
  typed?: string,
): Promise<void> {
  await within.getByRole('button', { name: label, exact: true }).click();
  const dialog = who.page.getByRole('dialog', { name: `${label}?` });
  const confirm = dialog.getByRole('button', { name: label, exact: true });
  if (typed !== undefined) {
    assert.equal(await confirm.isEnabled(), false);
    await dialog.getByRole('textbox').fill(typed);
  }
  await confirm.click();
}

/** Opens the first profile of the order that is in a state, by a link that has the filter; returns its ICCID. */
async function openFirst(who: Person, state: string): Promise<string> {
  await who.open(`orders/DEMO-1?state=${state}`, 'Order DEMO-1');
  const grid = who.page.getByRole('grid', { name: new RegExp(`that are ${state}`) });
  await grid.getByText('8900 1000').first().waitFor();
  await grid.focus();
  await who.page.keyboard.press('Enter');
  await who.page.getByRole('heading', { level: 1, name: /^Profile 8900/ }).waitFor();
  return decodeURIComponent(who.page.url().split('/devices/')[1]!);
}

/** A line waits half a second for the chain: it is asked for until it is there. */
async function inAudit(who: Person, event: string, by: RegExp): Promise<void> {
  await who.open(`audit?event=${event}&by=`, 'Audit');
  const line = who.page.getByRole('row').filter({ hasText: event }).first();
  for (let tries = 0; tries < 40 && (await line.getByText(by).count()) === 0; tries++) {
    await who.page.getByRole('button', { name: 'Refresh' }).click();
    await who.page.waitForTimeout(500);
  }
  await line.getByText(by).first().waitFor();
}
