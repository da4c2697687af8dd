import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A client certificate and its key, in PEM. */
export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

/** Somebody at a screen of their own: a browser's context with one page, and what went wrong in it. */
export class Person {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly origin: string;
  readonly problems: string[] = [];

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.context = context;
    this.page = page;
    this.origin = origin;
    page.setDefaultTimeout(30_000);
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`page: ${error.message}`));
    page.on('dialog', (dialog) => this.problems.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!/^(?:blob|data):/.test(request.url()) && new URL(request.url()).origin !== origin)
        this.problems.push(`request to ${request.url()}`);
    });
  }

  static async sitsDown(browser: Browser, origin: string, certificate?: Certificate): Promise<Person> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
      timezoneId: 'Europe/Rome',
      ...(certificate !== undefined && { clientCertificates: [{ origin, ...certificate }] }),
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
    return new Person(context, await context.newPage(), origin);
  }

  async logInByCertificate(): Promise<void> {
    await this.page.goto(this.origin);
    await this.page.getByRole('button', { name: 'Log in with a client certificate' }).click();
    await this.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  }

  /** Goes to a page by its place; it is there when its title is. */
  async open(place: string, title: string | RegExp): Promise<void> {
    await this.page.goto(`${this.origin}/#/${place}`);
    await this.page.getByRole('heading', { level: 1, name: title }).waitFor();
    await this.settled();
  }

  /** Pages that ask again and again are never idle: what was asked for first is there after a moment. */
  settled(): Promise<void> {
    return this.page.waitForTimeout(300);
  }

  /** What axe finds on the page as it is: nothing. Rules of WCAG 2.0 to 2.2, levels A and AA, and its best practices. */
  async accessible(where: string): Promise<void> {
    if (!(await this.page.evaluate(() => 'axe' in globalThis))) await this.page.evaluate(axe);
    const violations = await this.page.evaluate(async () => {
      const { violations: found } = await (
        globalThis as unknown as {
          axe: {
            run(
              options: object,
            ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
          };
        }
      ).axe.run({ resultTypes: ['violations'] });
      return found.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 300)} ${failureSummary}`).join('\n  ')}`,
      );
    });
    assert.deepEqual(violations, [], `${where} has violations:\n${violations.join('\n')}`);
  }

  async inColours(colorScheme: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await this.page.waitForFunction(
      (dark) => document.body.classList.contains('awsui-dark-mode') === dark,
      colorScheme === 'dark',
    );
    // colours on their way from one to the other are neither
    await this.page.evaluate(async () => {
      const passing = document
        .getAnimations()
        .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
      await Promise.all(passing.map(({ finished }) => finished.catch(() => undefined)));
    });
  }

  /** Nothing of a page is cut off where the screen is that of a tablet. */
  async fitsTablet(where: string): Promise<void> {
    const { page } = this;
    await page.setViewportSize({ width: 820, height: 1180 });
    await page.waitForTimeout(100);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.ok(wide <= 0, `${where} is ${wide} pixels wider than a tablet`);
  }

  async picture(name: string): Promise<void> {
    const pictures = process.env.SCREENSHOTS;
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `console-${name}.png`) });
  }
}
