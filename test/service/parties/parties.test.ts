import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../shared/events/log-events.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import { type CallRate, CallRateLimiter } from '../../../shared/service/parties/call-rate.ts';
import { PartyService } from '../../../shared/service/parties/parties.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { Deployment } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';

/** Later than what the test PKI issues from now on. */
const STANDS_STILL = Date.now() + 60_000;

const valid = (fingerprint: string) => ({
  fingerprint,
  notBeforeMs: STANDS_STILL - 1_000,
  notAfterMs: STANDS_STILL + 1_000,
});

describe('the register of parties', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await Deployment.create({
      memory: true,
      config: { rateLimit: { perSecond: 1, burst: 3 } },
      now: () => STANDS_STILL,
    });
  });
  afterAll(() => deployment?.close());

  it('knows a certificate until it is revoked, and then never again', async () => {
    const { parties } = deployment.runtime.services;
    await parties.add('aa', { identifier: '2.999.60', role: 'operator' }, 'test');
    expect(await parties.identify(valid('aa'))).toEqual({
      identifier: '2.999.60',
      role: 'operator',
      fingerprint: 'aa',
    });
    expect(await refusalOf(parties.identify(valid('bb')))).toMatchObject({ code: 'requesterUnknown' });
    await parties.revoke('aa', 'test');
    expect(await refusalOf(parties.identify(valid('aa')))).toMatchObject({ code: 'requesterNotAllowed' });
    const again = parties.add('aa', { identifier: '2.999.60', role: 'operator' }, 'test');
    expect(await refusalOf(again)).toMatchObject({ code: 'requesterNotAllowed' });
  });

  it('refuses a certificate that has expired, or is not valid yet', async () => {
    const { parties } = deployment.runtime.services;
    await parties.add('e1', { identifier: '2.999.52', role: 'eum' }, 'test');
    const certificate = (notBeforeMs: number, notAfterMs: number) => ({
      fingerprint: 'e1',
      notBeforeMs: STANDS_STILL + notBeforeMs,
      notAfterMs: STANDS_STILL + notAfterMs,
    });
    for (const [notBeforeMs, notAfterMs] of [
      [-10_000, -1_000],
      [1, 10_000],
    ] as const)
      expect(await refusalOf(parties.identify(certificate(notBeforeMs, notAfterMs)))).toMatchObject({
        code: 'requesterNotAllowed',
      });
    // notAfter is the last second of validity
    await parties.identify(certificate(0, -999));
  });

  it('tells of certificates that end within 30 days, of those alone whose party has no other', async () => {
    const lines: LogRecord[] = [];
    const { context } = deployment.runtime;
    const parties = new PartyService({ ...context, log: (line) => lines.push(line) });
    const DAY = 86_400_000;
    const add = (fingerprint: string, identifier: string, days: number) =>
      parties.add(
        fingerprint,
        { identifier, role: 'operator', notAfterMs: STANDS_STILL + days * DAY },
        'test',
      );
    await add('f1', '2.999.61', 29);
    await add('f2', '2.999.62', 31);
    await add('f3', '2.999.63', -2);
    await add('f4', '2.999.64', 5);
    await add('f5', '2.999.64', 400);
    await add('f6', '2.999.65', 5);
    await parties.revoke('f6', 'test');
    await parties.tellEnding();
    expect(lines).toEqual([
      expect.objectContaining({ event: 'alarm.party.certificate', party: '2.999.61', daysLeft: 29 }),
      expect.objectContaining({ event: 'alarm.party.certificate', party: '2.999.63', daysLeft: -2 }),
    ]);
  });

  it('gives a party one role, whatever its certificates', async () => {
    const { parties } = deployment.runtime.services;
    await parties.add('c1', { identifier: '2.999.50', role: 'deviceMaker' }, 'test');
    await parties.add('c2', { identifier: '2.999.50', role: 'deviceMaker' }, 'test');
    const other = parties.add('c3', { identifier: '2.999.50', role: 'eum' }, 'test');
    expect(await refusalOf(other)).toMatchObject({ code: 'requesterNotAllowed' });
  });

  it('limits the rate of a party over all its certificates, and of no other', async () => {
    const { parties } = deployment.runtime.services;
    await parties.add('d1', { identifier: '2.999.51', role: 'deviceMaker' }, 'test');
    for (const fingerprint of ['c1', 'c2', 'c1']) await parties.identify(valid(fingerprint));
    const refusal = await refusalOf(parties.identify(valid('c2')));
    expect(refusal).toMatchObject({ code: 'rateExceeded', subjectIdentifier: '2.999.50' });
    expect(refusal.message).toMatch(/try again in 1 s/);
    await parties.identify(valid('d1'));
  });
});

describe('the rate of a party', () => {
  const rate = async (limit: CallRate, processes = 1) => {
    const ledger = await SqliteLedger.open(':memory:');
    const clock = { now: 1_000_000 };
    const limiters = Array.from(
      { length: processes },
      () => new CallRateLimiter(limit, ledger, () => clock.now),
    );
    /** How many of `calls` were let through, the processes in turn. */
    const answered = async (calls: number) => {
      let through = 0;
      for (let call = 0; call < calls; call++) {
        try {
          await limiters[call % processes]!.take('a');
          through += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: 'rateExceeded' });
        }
      }
      return through;
    };
    return { clock, limiters, ledger, let: answered };
  };

  it('fills again with time, and never above its burst', async () => {
    const { clock, let: through } = await rate({ perSecond: 10, burst: 2 });
    expect(await through(5)).toBe(2);
    clock.now += 100;
    expect(await through(5)).toBe(1);
    clock.now += 60_000;
    expect(await through(5)).toBe(2);
  });

  it('holds over many processes', async () => {
    const { clock, let: through } = await rate({ perSecond: 50, burst: 100 }, 20);
    let total = await through(1_000);
    expect(total).toBeLessThanOrEqual(100);
    for (let second = 0; second < 10; second++) {
      clock.now += 1_000;
      total += await through(500);
    }
    expect(total).toBeLessThanOrEqual(100 + 10 * 50);
    // what lapses in leases is less than half
    expect(total).toBeGreaterThan(300);
  });

  it('counts tokens on lease as what was earned in the second before', async () => {
    const { clock, let: through } = await rate({ perSecond: 20, burst: 60 });
    // a lease of four, one of them used, and a bucket that is full again before the others lapse
    expect(await through(4)).toBe(4);
    clock.now += 900;
    const took = await through(200);
    expect(took).toBeGreaterThan(60);
    expect(took).toBeLessThanOrEqual(60 + 20);
  });

  it('holds for each of two processes whose clocks are a minute apart', async () => {
    const ledger = await SqliteLedger.open(':memory:');
    const clock = { now: 1_000_000 };
    const limit = { perSecond: 10, burst: 40 };
    const limiters = [0, 60_000].map((ahead) => new CallRateLimiter(limit, ledger, () => clock.now + ahead));
    let through = 0;
    for (let second = 0; second < 20; second++, clock.now += 1_000)
      for (let call = 0; call < 200; call++)
        await limiters[call % 2]!.take('a').then(
          () => through++,
          () => undefined,
        );
    // the minute is earned once
    expect(through).toBeLessThanOrEqual(2 * (limit.burst + 20 * limit.perSecond));
  });

  it('lets a party through that stays below it, from however many places', async () => {
    for (const processes of [1, 10]) {
      const { clock, let: through } = await rate({ perSecond: 50, burst: 200 }, processes);
      let total = 0;
      for (let call = 0; call < 400; call++) {
        clock.now += 50;
        total += await through(1);
      }
      expect(total).toBe(400);
    }
  });

  it('goes on where a clock was set back', async () => {
    const { clock, let: through } = await rate({ perSecond: 10, burst: 2 });
    expect(await through(3)).toBe(2);
    clock.now -= 3_600_000;
    await through(1);
    clock.now += 1_000;
    expect(await through(3)).toBe(2);
  });

  it('costs a busy party one write for many calls', async () => {
    const { ledger, let: through } = await rate({ perSecond: 1_000, burst: 1_000 });
    expect(await through(320)).toBe(320);
    const { revision } = (await ledger.get(ledgerKeys.rate('a')))!;
    expect(revision).toBeLessThan(30);
  });

  it('counts a call that cost more than one is due as further calls, of any process, by no write of its own', async () => {
    const { clock, limiters, ledger, let: through } = await rate({ perSecond: 10, burst: 40 }, 2);
    expect(await through(2)).toBe(2);
    const { revision } = (await ledger.get(ledgerKeys.rate('a')))!;
    limiters[0]!.charge('a', 30.5);
    limiters[1]!.charge('b', 1_000);
    expect((await ledger.get(ledgerKeys.rate('a')))!.revision).toBe(revision);
    const took = await through(200);
    expect(took).toBeGreaterThan(0);
    expect(took).toBeLessThanOrEqual(40 - 2 - 30);
    // half a call is owed until there is another half
    clock.now += 1_000;
    limiters[0]!.charge('a', 0.5);
    expect(await through(200)).toBeLessThanOrEqual(10 - 1);
  });

  it('of a party that owes more than it has fills again by what it earns', async () => {
    const { clock, limiters, let: through } = await rate({ perSecond: 10, burst: 10 });
    expect(await through(1)).toBe(1);
    limiters[0]!.charge('a', 59);
    expect(await through(20)).toBe(0);
    await expect(limiters[0]!.take('a')).rejects.toMatchObject({ retryAfterSeconds: 6 });
    clock.now += 4_000;
    expect(await through(20)).toBe(0);
    clock.now += 2_000;
    expect(await through(20)).toBe(10);
  });

  it('counts calls that come at once, in one process and in several', async () => {
    const { limiters } = await rate({ perSecond: 1, burst: 40 }, 4);
    const calls = Array.from({ length: 400 }, (_, i) => limiters[i % 4]!.take('a'));
    const outcomes = await Promise.allSettled(calls);
    const through = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(through).toBeGreaterThan(20);
    expect(through).toBeLessThanOrEqual(40);
  });
});
