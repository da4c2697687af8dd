import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../../../cli/server/admission/budget.ts';
import { addressOf } from '../../../../cli/server/admission/connections.ts';
import { DEFAULT_LIMITS } from '../../../../cli/server/admission/limits.ts';
import { Rates } from '../../../../cli/server/admission/rates.ts';

describe('a budget', () => {
  it('is given in order of arrival, and never more than there is', async () => {
    const budget = new Budget(10, 'octets');
    const first = await budget.take(8, 1_000);
    const order: string[] = [];
    const large = budget.take(10, 1_000).then((release) => {
      order.push('large');
      return release;
    });
    const small = budget.take(1, 1_000).then((release) => {
      order.push('small');
      return release;
    });
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    first();
    first();
    (await large)();
    await small;
    expect(order).toEqual(['large', 'small']);
    expect(budget.held).toBe(1);
  });

  it('lets what is larger than all of it pass alone', async () => {
    const budget = new Budget(10, 'octets');
    (await budget.take(1_000, 0))();
    expect(budget.held).toBe(0);
  });

  it('sends away who waits too long, and lets those behind through', async () => {
    const budget = new Budget(10, 'octets');
    await budget.take(5, 0);
    const large = budget.take(10, 10);
    const small = budget.take(5, 1_000);
    await expect(large).rejects.toMatchObject({ code: 'serverBusy', httpStatus: 503, retryAfterSeconds: 1 });
    await small;
    expect(budget.held).toBe(10);
  });
});

describe('rates', () => {
  it('give each name its own, say when the next token is there, and let debts be made', () => {
    let now = 0;
    const rates = new Rates({ perSecond: 2, burst: 2 }, () => now);
    expect([rates.take('a'), rates.take('a'), rates.take('a'), rates.take('b')]).toEqual([
      undefined,
      undefined,
      1,
      undefined,
    ]);
    now += 500;
    expect(rates.take('a')).toBeUndefined();
    rates.charge('a', 10);
    expect(rates.wait('a')).toBe(5);
    now += 5_000;
    expect(rates.wait('a')).toBeUndefined();
  });

  it('forget the name that was unused longest', () => {
    const rates = new Rates({ perSecond: 1, burst: 1 }, () => 0);
    rates.take('first');
    for (let i = 0; i < 10_000; i++) rates.take(`other ${i}`);
    expect(rates.take('first')).toBeUndefined();
    expect(rates.take('other 9999')).toBe(1);
  });
});

describe('the address that limits count', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is %s', (remoteAddress, address) => {
    expect(addressOf({ remoteAddress })).toBe(address);
  });
});

describe('the table of limits in docs/operators.md', () => {
  it('has every limit with its default', () => {
    const text = readFileSync(new URL('../../../../docs/operators.md', import.meta.url), 'utf8');
    const rows = new Map(
      [...text.matchAll(/^\| `(\w+)` \| ([\d,–]+) \| ([\d,–]+) \|/gm)].map(([, name, parties, field]) => [
        name,
        [parties, field],
      ]),
    );
    const { parties, field } = DEFAULT_LIMITS;
    const written = (limits: object, name: string) =>
      (new Map<string, number>(Object.entries(limits)).get(name) ?? '–').toLocaleString('en');
    const names = [...new Set([...Object.keys(parties), ...Object.keys(field)])];
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(names.map((name) => [name, [written(parties, name), written(field, name)]])),
    );
  });
});
