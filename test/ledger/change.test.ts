import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault, refuse } from '../../shared/errors.ts';
import {
  becomes,
  changeEach,
  changeItem,
  changeItems,
  goes,
  removeItem,
  unchanged,
  writes,
} from '../../shared/ledger/change.ts';
import type { Item, Ledger } from '../../shared/ledger/ledger.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import { freshKey } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-change-'));
/** Two connections to one file, as two processes have them. */
let ledgers: [Ledger, Ledger];
let ledger: Ledger;
beforeAll(async () => {
  const file = join(folder, 'ledger.sqlite');
  ledgers = [await SqliteLedger.open(file), await SqliteLedger.open(file)];
  ledger = ledgers[0];
});
afterAll(async () => {
  for (const one of ledgers) await one.close();
  rmSync(folder, { recursive: true, force: true });
});
// the back-off draws from it: nobody waits
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

const countOf = (item: Item | undefined) => Number(item?.attributes.count ?? 0);
const increment = (item: Item | undefined) => becomes({ count: countOf(item) + 1 }, countOf(item) + 1);

/** Somebody else who changes the item after each read of it, so often. */
function disturb(key: ReturnType<typeof freshKey>, times: number): () => Promise<void> {
  let left = times;
  return async () => {
    if (left-- > 0) await changeItem(ledgers[1], key, increment);
  };
}

describe('a change of one item', () => {
  it('concurrent callers over two connections lose no change', async () => {
    vi.restoreAllMocks();
    const key = freshKey();
    const values = await Promise.all(
      Array.from({ length: 16 }, (_, n) => changeItem(ledgers[n % 2]!, key, increment)),
    );
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, n) => n + 1));
    expect(await ledger.get(key)).toMatchObject({ revision: 16, attributes: { count: 16 } });
  });

  it('the plan is made again with what somebody else wrote meanwhile', async () => {
    const key = freshKey();
    const other = disturb(key, 2);
    const seen: number[] = [];
    const value = await changeItem(ledger, key, async (item) => {
      seen.push(countOf(item));
      await other();
      return becomes({ count: countOf(item) + 10 }, countOf(item));
    });
    expect(seen).toEqual([0, 1, 2]);
    expect(value).toBe(2);
    expect(await ledger.get(key)).toMatchObject({ revision: 3, attributes: { count: 12 } });
  });

  it('a plan that finds nothing to do writes nothing', async () => {
    const key = freshKey();
    await changeItem(ledger, key, increment);
    expect(await changeItem(ledger, key, () => unchanged('as it was'))).toBe('as it was');
    expect(await ledger.get(key)).toMatchObject({ revision: 1 });
  });

  it('what goes alongside is written with it, or neither', async () => {
    const [key, line] = [freshKey(), freshKey()];
    const other = disturb(key, 1);
    let plans = 0;
    await changeItem(ledger, key, async (item) => {
      plans += 1;
      await other();
      const alongside = { put: line, attributes: { plan: plans }, when: 'absent' } as const;
      return becomes({ count: countOf(item) }, undefined, [alongside]);
    });
    expect(plans).toBe(2);
    expect(await ledger.get(line)).toMatchObject({ attributes: { plan: 2 } });
  });

  it('is given up after twelve attempts, as a fault that may pass', async () => {
    const key = freshKey();
    const other = disturb(key, Number.POSITIVE_INFINITY);
    let plans = 0;
    const change = changeItem(ledger, key, async () => {
      plans += 1;
      await other();
      return becomes({ mine: true });
    });
    await expect(change).rejects.toMatchObject({ code: 'ledger', retryable: true });
    await expect(change).rejects.toBeInstanceOf(Fault);
    expect(plans).toBe(12);
    expect((await ledger.get(key))?.attributes).toEqual({ count: 12 });
  });

  it('what the plan refuses ends the change at once', async () => {
    const key = freshKey();
    let plans = 0;
    const change = changeItem(ledger, key, () => {
      plans += 1;
      return refuse('orderUnknown', 'no such order');
    });
    await expect(change).rejects.toMatchObject({ code: 'orderUnknown' });
    expect(plans).toBe(1);
    expect(await ledger.get(key)).toBeUndefined();
  });

  it('an item goes, also where it was changed meanwhile, and one that is not there is left alone', async () => {
    const key = freshKey();
    await changeItem(ledger, key, increment);
    const other = disturb(key, 1);
    await changeItem(ledger, key, async () => {
      await other();
      return goes();
    });
    expect(await ledger.get(key)).toBeUndefined();
    await removeItem(ledger, key);
    await expect(changeItem(ledger, key, () => goes())).rejects.toMatchObject({ code: 'ledger' });
  });
});

describe('a change of several items', () => {
  it('moves between two items, by concurrent callers, without losing or making any', async () => {
    vi.restoreAllMocks();
    const [from, to] = [freshKey(), freshKey()];
    await ledger.write({ put: from, attributes: { count: 6 }, when: 'absent' });
    const move = (by: Ledger) =>
      changeItems<boolean>(by, async () => {
        const [a, b] = await by.getMany([from, to]);
        if (countOf(a) === 0) return unchanged(false);
        const changes = [
          { put: from, attributes: { count: countOf(a) - 1 }, when: { revision: a!.revision } },
          {
            put: to,
            attributes: { count: countOf(b) + 1 },
            when: b === undefined ? ('absent' as const) : { revision: b.revision },
          },
        ];
        return writes(changes, true);
      });
    const moved = await Promise.all(Array.from({ length: 10 }, (_, n) => move(ledgers[n % 2]!)));
    expect(moved.filter((one) => one)).toHaveLength(6);
    expect((await ledger.getMany([from, to])).map(countOf)).toEqual([0, 6]);
  });
});

describe('a change of an item for each of many elements', () => {
  const step = (item: Item | undefined) => becomes({ count: countOf(item) + 1 });

  it('only those whose item somebody else changed are planned again', async () => {
    const keys = [freshKey(), freshKey(), freshKey()];
    const other = disturb(keys[1]!, 1);
    const planned: number[] = [];
    await changeEach(
      ledger,
      keys,
      (key) => key,
      async (item, key) => {
        planned.push(keys.indexOf(key));
        if (key === keys[1]) await other();
        return key === keys[2] ? unchanged() : step(item);
      },
    );
    expect(planned).toEqual([0, 1, 2, 1]);
    expect((await ledger.getMany(keys)).map(countOf)).toEqual([1, 2, 0]);
  });

  it('concurrent callers lose no change', async () => {
    vi.restoreAllMocks();
    const keys = Array.from({ length: 20 }, freshKey);
    await Promise.all(
      Array.from({ length: 6 }, (_, n) => changeEach(ledgers[n % 2]!, keys, (key) => key, step)),
    );
    expect((await ledger.getMany(keys)).map(countOf)).toEqual(keys.map(() => 6));
  });

  it('is given up as a fault that may pass; what was written stays', async () => {
    const keys = [freshKey(), freshKey()];
    const other = disturb(keys[1]!, Number.POSITIVE_INFINITY);
    const change = changeEach(
      ledger,
      keys,
      (key) => key,
      async (item, key) => {
        if (key === keys[1]) await other();
        return step(item);
      },
    );
    await expect(change).rejects.toMatchObject({ code: 'ledger', retryable: true });
    expect((await ledger.getMany(keys)).map(countOf)).toEqual([1, 12]);
  });

  it('nothing to change is no call of the store', async () => {
    const untouched = { getMany: vi.fn(), writeMany: vi.fn() };
    await changeEach({ ...ledger, ...untouched } as Ledger, [], freshKey, step);
    expect(untouched.getMany).not.toHaveBeenCalled();
  });
});
