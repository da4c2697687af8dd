import { afterEach, describe, expect, it } from 'vitest';
import { storeTrials } from '../../../cli/server/store-trials.ts';
import { Fault } from '../../../shared/errors.ts';
import type { Ledger } from '../../../shared/ledger/ledger.ts';
import { openLedger } from '../../../shared/ledger/open.ts';
import { openRuntime } from '../../../shared/runtime.ts';
import { formInForce, NEWEST_FORM } from '../../../shared/service/records/forms.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { formRecord } from '../../../shared/service/records/stored-form.ts';
import {
  FormFault,
  LOOK_MS,
  type Release,
  SILENT_MS,
  StoredForm,
  THIS_RELEASE,
} from '../../../shared/service/upgrade/stored-form.ts';
import { waitingAuditLines } from '../../support/audit.ts';
import { Deployment } from '../../support/deployment.ts';

const OLD: Release = { release: '1.0.0', reads: 1 };
const NEW: Release = { release: '2.0.0', reads: 2 };

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const closing = <T extends { close(): unknown }>(one: T): T => {
  open.unshift(one);
  return one;
};
const newLedger = async (): Promise<Ledger> => closing(await openLedger('sqlite::memory:'));

describe('the stored form of a new deployment', () => {
  it('is the newest of the release that made it, and every release that works on it says so', async () => {
    const deployment = closing(await Deployment.create({ memory: true }));
    const { storedForm } = deployment.runtime;
    const { releases, ...forms } = await storedForm.forms();
    expect(forms).toEqual({
      inForce: NEWEST_FORM,
      newest: NEWEST_FORM,
      since: expect.any(Number),
      by: THIS_RELEASE.release,
    });
    expect(releases).toEqual([{ ...THIS_RELEASE, seen: expect.any(Number), atWork: true }]);
  });

  it('is read by a release that knows it, and stops the start of one that does not, which changes nothing', async () => {
    const deployment = closing(await Deployment.create({ memory: true }));
    const { ledger } = deployment.runtime.unguarded;
    const item = await ledger.get(ledgerKeys.formInForce);
    const form = NEWEST_FORM + 1;
    await ledger.write({
      put: ledgerKeys.formInForce,
      attributes: formRecord.to({ form, since: 0, by: '9.0.0' }),
      when: { revision: item!.revision },
    });
    const written: unknown[] = [];
    const watched = new Proxy(ledger, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (name === 'close') return async () => undefined;
        if (name === 'write' || name === 'writeMany' || name === 'transact') written.push(name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const start = openRuntime(deployment.config, { lanes: 'none', stores: { ledger: watched } });
    const fault: unknown = await start.catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(FormFault);
    expect(fault).toMatchObject({ code: 'configuration', form, by: '9.0.0' });
    // a server that is at work says that its ledger is ill, so that callers are sent to another one
    await expect(storeTrials(deployment.runtime).ledger?.()).rejects.toThrow(
      'which release 9.0.0 has activated',
    );
    expect(String(fault)).toContain('which release 9.0.0 has activated');
    expect(String(fault)).toContain('run 9.0.0 or a later one');
    expect(written).toEqual([]);
  });
});

describe('two releases side by side', () => {
  it('write the form in force until the newer one is activated, which takes every process to be of it', async () => {
    const ledger = await newLedger();
    let now = 1_000_000;
    const old = closing(new StoredForm(ledger, () => now, OLD));
    await old.begin();
    await old.requireKnownAtWork();
    const fresh = closing(new StoredForm(ledger, () => now, NEW));
    await fresh.requireKnownAtWork();
    expect(formInForce()).toBe(1);

    const early = await fresh.activate('test').catch((error: unknown) => error);
    expect(early).toBeInstanceOf(Fault);
    expect(String(early)).toContain('release 1.0.0, which reads up to form 1, was at work 0 s ago');
    expect(String(early)).toContain('smdpf stop --release 1.0.0');

    // as long as it says so, nothing helps; once it is silent, nothing stands in the way
    now += SILENT_MS - 1;
    await old.requireKnownAtWork();
    now += SILENT_MS - 1;
    await fresh.requireKnownAtWork();
    await expect(fresh.activate('test')).rejects.toThrow('was at work');
    now += 1;
    expect(await fresh.activate('test')).toEqual({ form: 2, before: 1 });
    expect(await fresh.activate('test')).toEqual({ form: 2, before: 2 });
    expect((await waitingAuditLines(ledger)).map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({ event: 'form.activated', about: { form: 2, release: '2.0.0' } }),
    ]);
    expect(await fresh.forms()).toMatchObject({
      inForce: 2,
      since: now,
      by: '2.0.0',
      releases: [
        { release: '1.0.0', atWork: false },
        { release: '2.0.0', atWork: true },
      ],
    });
    old.close();
    expect(formInForce()).toBe(2);
  });

  it('come to know an activated form within 30 s: a process that cannot read it changes nothing from then on', async () => {
    const ledger = await newLedger();
    let now = 1_000_000;
    const at = (release: Release) => closing(new StoredForm(ledger, () => now, release));
    const [old, fresh, other] = [at(OLD), at(NEW), at(NEW)];
    await old.begin();
    for (const one of [old, fresh, other]) await one.requireKnownAtWork();
    now += SILENT_MS;
    await other.activate('test');
    // the process of the old release slept; its first change after that is refused, and so is every other
    for (let change = 0; change < 2; change++)
      await expect(old.requireKnownAtWork()).rejects.toMatchObject({ form: 2, by: '2.0.0', retryable: true });
    old.close();
    now += LOOK_MS;
    await fresh.requireKnownAtWork();
    expect(formInForce()).toBe(2);
  });

  it('two activations at once are one', async () => {
    const ledger = await newLedger();
    const old = closing(new StoredForm(ledger, () => 0, OLD));
    await old.begin();
    const both = [1, 2].map(() => closing(new StoredForm(ledger, () => SILENT_MS, NEW)));
    const answers = await Promise.all(both.map((one) => one.activate('test')));
    expect(answers.map(({ form }) => form)).toEqual([2, 2]);
    expect(await waitingAuditLines(ledger)).toHaveLength(1);
  });
});

it('a deployment that does not say in which form it is stored is in the first', async () => {
  const ledger = await newLedger();
  const form = closing(new StoredForm(ledger, () => 0, NEW));
  await form.requireKnownAtWork();
  expect(formInForce()).toBe(1);
  expect(await form.activate('test')).toEqual({ form: 2, before: 1 });
});
