import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimiter } from '../../shared/service/rate-limit.ts';
import { Deployment } from '../support/deployment.ts';
import { expectRefusal, refusalOf } from '../support/refusal.ts';

/** Later than what the test PKI issues from now on. */
const STANDS_STILL = Date.now() + 60_000;

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
    expect(await parties.identify('aa')).toEqual({
      identifier: '2.999.60',
      role: 'operator',
      fingerprint: 'aa',
    });
    expect(await refusalOf(parties.identify('bb'))).toMatchObject({ code: 'requesterUnknown' });
    await parties.revoke('aa', 'test');
    expect(await refusalOf(parties.identify('aa'))).toMatchObject({ code: 'requesterNotAllowed' });
    const again = parties.add('aa', { identifier: '2.999.60', role: 'operator' }, 'test');
    expect(await refusalOf(again)).toMatchObject({ code: 'requesterNotAllowed' });
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
    for (const fingerprint of ['c1', 'c2', 'c1']) await parties.identify(fingerprint);
    const refusal = await refusalOf(parties.identify('c2'));
    expect(refusal).toMatchObject({ code: 'rateExceeded', subjectIdentifier: '2.999.50' });
    expect(refusal.message).toMatch(/try again in 1 s/);
    await parties.identify('d1');
  });
});

it('a bucket fills again with time, and never above its burst', () => {
  let now = 0;
  const rates = new RateLimiter({ perSecond: 10, burst: 2 }, () => now);
  rates.take('a');
  rates.take('a');
  expectRefusal('rateExceeded', () => rates.take('a'));
  now = 100;
  rates.take('a');
  expectRefusal('rateExceeded', () => rates.take('a'));
  now = 60_000;
  rates.take('a');
  rates.take('a');
  expectRefusal('rateExceeded', () => rates.take('a'));
});
