import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import {
  type Attributes,
  type Item,
  type ItemKey,
  type Ledger,
  type Page,
  type Range,
  TRANSACTION_LIMIT,
  type Value,
  type Write,
} from '../../shared/ledger/ledger.ts';
import { compareSort } from '../../shared/ledger/range.ts';
import { lastOfSpread, scanAllSpread } from '../../shared/ledger/scan.ts';
import { partitionsOf, stripesOf } from '../../shared/ledger/stripes.ts';

/** How thorough the suite is where each call crosses a network. */
export interface LedgerContractOptions {
  readonly propertyRuns?: number;
}

/**
 * What every ledger promises. `open` gives a new connection to one and the same store; the tests keep apart by
 * partitions of their own.
 */
export function ledgerContract(
  name: string,
  open: () => Promise<Ledger>,
  { propertyRuns = 60 }: LedgerContractOptions = {},
): void {
  describe(`${name} keeps the ledger contract`, () => {
    let ledger: Ledger;
    beforeAll(async () => {
      ledger = await open();
    });
    afterAll(() => ledger.close());

    const create = (key: ItemKey, attributes: Attributes = {}): Write => ({
      put: key,
      attributes,
      when: 'absent',
    });

    it('a walk comes by every item of every partition, a page at a time', async () => {
      const keys = Array.from({ length: 25 }, freshKey);
      await ledger.writeMany(keys.map((key) => create(key, { state: 'free' })));
      const wanted = new Set(keys.map(({ partition, sort }) => `${partition} ${sort}`));
      let cursor: string | undefined;
      do {
        const page = await ledger.walk(10, cursor);
        expect(page.found.length).toBeLessThanOrEqual(10);
        for (const { partition, sort, item } of page.found)
          if (wanted.delete(`${partition} ${sort}`))
            expect(item).toMatchObject({ attributes: { state: 'free' } });
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect([...wanted]).toEqual([]);
      expect(await ledger.defects()).toEqual([]);
    });

    describe('a list in stripes', () => {
      const LISTED = 12;
      /** Twelve items that lie in three stripes by turns. */
      async function newList() {
        const stripes = stripesOf(freshKey().partition, 3);
        const keys = Array.from({ length: LISTED }, (_, n) => ({
          partition: stripes[n % 3]!,
          sort: String(n).padStart(2, '0'),
        }));
        await ledger.writeMany(keys.map((key, n) => create(key, { n })));
        return { stripes, keys };
      }
      const numbers = (items: readonly Item[]) => items.map(({ attributes }) => attributes.n);
      const all = Array.from({ length: LISTED }, (_, n) => n);

      it('is read in the order of its sort keys, each item once, onwards and back', async () => {
        const { stripes } = await newList();
        expect(numbers(await scanAllSpread(ledger, stripes))).toEqual(all);
        const back = { from: '03', to: '08', descending: true, pageSize: 2 } as const;
        expect(numbers(await scanAllSpread(ledger, stripes, back))).toEqual([8, 7, 6, 5, 4, 3]);
        expect(await lastOfSpread(ledger, stripes)).toBe('11');
        expect(await scanAllSpread(ledger, stripesOf(freshKey().partition, 3))).toEqual([]);
      });

      it('lies where the ledger says, in each stripe its own items or in one all of them', async () => {
        const { stripes } = await newList();
        expect(partitionsOf(ledger, stripes)).toHaveLength(ledger.spreads ? 3 : 1);
        for (const [n, stripe] of stripes.entries()) {
          const { items } = await ledger.query(stripe);
          expect(numbers(items)).toEqual(ledger.spreads ? all.filter((one) => one % 3 === n) : all);
        }
      });

      it('has its items under the names that they were written with, and under those that they are read with', async () => {
        const { stripes, keys } = await newList();
        expect((await ledger.getMany(keys)).map((item) => item?.attributes.n)).toEqual(all);
        const [first, second] = await scanAllSpread(ledger, stripes);
        expect(await ledger.get(first!)).toEqual(first);
        const writes: readonly Write[] = [
          { remove: first!, when: { revision: 1 } },
          { put: second!, attributes: { n: 100 }, when: { revision: 1 } },
          { check: keys[2]!, when: { revision: 1 } },
          create({ partition: stripes[0]!, sort: '99' }, { n: 99 }),
        ];
        expect(await ledger.transact(writes)).toEqual({ done: true });
        expect(numbers(await scanAllSpread(ledger, stripes))).toEqual([100, ...all.slice(2), 99]);
        expect(await ledger.get(keys[0]!)).toBeUndefined();
        expect(await ledger.write(create(keys[1]!))).toMatchObject({ done: false, found: { revision: 2 } });
        const failed = await ledger.transact([{ check: keys[1]!, when: { revision: 1 } }]);
        expect(failed).toMatchObject({ done: false });
      });

      it('is apart from the partition that has its name without a stripe', async () => {
        const { stripes } = await newList();
        const own = { partition: stripes[0]!.slice(0, stripes[0]!.indexOf('##')), sort: '00' };
        expect(await ledger.write(create(own, { n: -1 }))).toEqual({ done: true, revision: 1 });
        expect(numbers((await ledger.query(own.partition)).items)).toEqual([-1]);
        expect(numbers(await scanAllSpread(ledger, stripes))).toEqual(all);
      });
    });

    describe('revisions of items', () => {
      it('an absent item is created once, with revision 1', async () => {
        const key = freshKey();
        expect(await ledger.get(key)).toBeUndefined();
        expect(await ledger.write(create(key, { state: 'free' }))).toEqual({ done: true, revision: 1 });
        const item = { ...key, revision: 1, attributes: { state: 'free' } };
        expect(await ledger.get(key)).toEqual(item);
        expect(await ledger.write(create(key, { state: 'other' }))).toEqual({ done: false, found: item });
        expect(await ledger.get(key)).toEqual(item);
      });

      it('an update names the revision it read, and replaces all attributes', async () => {
        const key = freshKey();
        await ledger.write(create(key, { a: 1, b: 2 }));
        const update = (revision: number): Write => ({ put: key, attributes: { a: 3 }, when: { revision } });
        expect(await ledger.write(update(2))).toMatchObject({ done: false, found: { revision: 1 } });
        expect(await ledger.write(update(1))).toEqual({ done: true, revision: 2 });
        const found = { ...key, revision: 2, attributes: { a: 3 } };
        expect(await ledger.write(update(1))).toEqual({ done: false, found });
        expect(await ledger.get(key)).toEqual(found);
      });

      it('an update of an absent item is refused with nothing found', async () => {
        const write: Write = { put: freshKey(), attributes: {}, when: { revision: 1 } };
        expect(await ledger.write(write)).toEqual({ done: false, found: undefined });
      });

      it('a removal names the revision, and the item is gone', async () => {
        const key = freshKey();
        await ledger.write(create(key));
        const remove = (revision: number): Write => ({ remove: key, when: { revision } });
        expect(await ledger.write(remove(2))).toMatchObject({ done: false, found: { revision: 1 } });
        expect(await ledger.write(remove(1))).toEqual({ done: true, revision: 1 });
        expect(await ledger.get(key)).toBeUndefined();
        expect(await ledger.write(remove(1))).toEqual({ done: false, found: undefined });
        expect(await ledger.write(create(key))).toEqual({ done: true, revision: 1 });
      });

      it('a check changes nothing and tells whether its condition holds', async () => {
        const key = freshKey();
        expect(await ledger.write({ check: key, when: 'absent' })).toEqual({ done: true, revision: 0 });
        expect(await ledger.write({ check: key, when: { revision: 1 } })).toEqual({
          done: false,
          found: undefined,
        });
        await ledger.write(create(key));
        expect(await ledger.write({ check: key, when: { revision: 1 } })).toEqual({
          done: true,
          revision: 1,
        });
        expect(await ledger.write({ check: key, when: 'absent' })).toMatchObject({ found: { revision: 1 } });
      });

      it('50 claimers at once on 200 keys: each key has exactly one winner', async () => {
        const partition = randomUUID();
        const keys = Array.from({ length: 200 }, (_, i) => ({ partition, sort: `otpk#${i}` }));
        await ledger.writeMany(keys.map((key) => create(key, { state: 'free' })));
        const connections = await Promise.all(Array.from({ length: 5 }, open));
        const wins = await Promise.all(
          Array.from({ length: 50 }, async (_, claimer) => {
            const connection = connections[claimer % connections.length]!;
            const claims = shuffled(keys, claimer).map((key): Write => {
              return { put: key, attributes: { claimer }, when: { revision: 1 } };
            });
            const half = claims.length / 2;
            const outcomes = [
              ...(await connection.writeMany(claims.slice(0, half))),
              ...(await Promise.all(claims.slice(half).map((claim) => connection.write(claim)))),
            ];
            return claims.flatMap((claim, i) => (outcomes[i]!.done ? [sortOf(claim)] : []));
          }),
        );
        expect(wins.flat().sort()).toEqual(keys.map(({ sort }) => sort).sort());
        const stored = await ledger.getMany(keys);
        for (const [claimer, won] of wins.entries()) {
          for (const sort of won) {
            expect(stored.find((item) => item?.sort === sort)).toMatchObject({
              revision: 2,
              attributes: { claimer },
            });
          }
        }
        await Promise.all(connections.map((connection) => connection.close()));
        // ten thousand conditional writes, one after the other where an emulator has one thread
      }, 300_000);

      it('a counter raised by many at once loses no step', async () => {
        const key = freshKey();
        await ledger.write(create(key, { count: 0 }));
        const raise = async () => {
          for (;;) {
            const item = (await ledger.get(key))!;
            const attributes = { count: Number(item.attributes.count) + 1 };
            const outcome = await ledger.write({ put: key, attributes, when: { revision: item.revision } });
            if (outcome.done) return;
          }
        };
        await Promise.all(Array.from({ length: 20 }, raise));
        expect(await ledger.get(key)).toMatchObject({ revision: 21, attributes: { count: 20 } });
      });
    });

    describe('many items at once', () => {
      it('getMany answers in the order asked, undefined where nothing is, the same key twice', async () => {
        const partition = randomUUID();
        const keys = Array.from({ length: 250 }, (_, i) => ({ partition, sort: `${i}` }));
        await ledger.writeMany(
          keys.filter((_, i) => i % 3 !== 0).map((key) => create(key, { sort: key.sort })),
        );
        const asked = [...shuffled(keys, 7), keys[1]!, keys[1]!];
        const found = await ledger.getMany(asked);
        const expected = asked.map(({ sort }) => (Number(sort) % 3 === 0 ? undefined : { sort }));
        expect(found.map((item) => item?.attributes)).toEqual(expected);
        expect(await ledger.getMany([])).toEqual([]);
      });

      it('writeMany gives an outcome per write, and a refused one stops no other', async () => {
        const partition = randomUUID();
        const keys = Array.from({ length: 300 }, (_, i) => ({ partition, sort: `${i}` }));
        await ledger.writeMany(keys.filter((_, i) => i % 2 === 0).map((key) => create(key)));
        const outcomes = await ledger.writeMany(keys.map((key) => create(key, { second: true })));
        expect(outcomes.map(({ done }) => done)).toEqual(keys.map((_, i) => i % 2 !== 0));
        expect(outcomes[0]).toMatchObject({ found: { sort: '0', revision: 1 } });
        expect(await ledger.writeMany([])).toEqual([]);
      });

      it('writeMany refuses a list that names an item twice, and writes nothing', async () => {
        const key = freshKey();
        await expectFault(ledger.writeMany([create(key), { check: key, when: 'absent' }]));
        expect(await ledger.get(key)).toBeUndefined();
      });
    });

    describe('transactions', () => {
      it('write all or nothing', async () => {
        const [a, b, c, d] = [freshKey(), freshKey(), freshKey(), freshKey()];
        await ledger.writeMany([create(a, { n: 1 }), create(b), create(c)]);
        const writes: Write[] = [
          { put: a, attributes: { n: 2 }, when: { revision: 1 } },
          { remove: b, when: { revision: 1 } },
          { check: c, when: { revision: 1 } },
          create(d, { n: 4 }),
        ];
        expect(await ledger.transact(writes)).toEqual({ done: true });
        const after = await ledger.getMany([a, b, c, d]);
        expect(after.map((item) => item?.revision)).toEqual([2, undefined, 1, 1]);

        const outcome = await ledger.transact(writes);
        if (outcome.done) throw new Error('the same transaction held twice');
        expect([...outcome.failed.keys()].sort()).toEqual([0, 1, 3]);
        expect(outcome.failed.get(0)).toEqual(after[0]);
        expect(outcome.failed.get(1)).toBeUndefined();
        expect(outcome.failed.get(3)).toEqual(after[3]);
        expect(await ledger.getMany([a, b, c, d])).toEqual(after);
      });

      it('a failed check alone stops the writes beside it', async () => {
        const [a, b] = [freshKey(), freshKey()];
        const outcome = await ledger.transact([create(a), { check: b, when: { revision: 1 } }]);
        expect(outcome).toEqual({ done: false, failed: new Map([[1, undefined]]) });
        expect(await ledger.get(a)).toBeUndefined();
      });

      it('of several at once that share an item exactly one is done', async () => {
        const shared = freshKey();
        await ledger.write(create(shared));
        const own = Array.from({ length: 10 }, freshKey);
        const outcomes = await Promise.all(
          own.map((key) =>
            ledger.transact([
              { put: shared, attributes: { key: key.sort }, when: { revision: 1 } },
              create(key),
            ]),
          ),
        );
        expect(outcomes.filter(({ done }) => done)).toHaveLength(1);
        const created = (await ledger.getMany(own)).filter((item) => item !== undefined);
        expect(created).toHaveLength(1);
        expect((await ledger.get(shared))?.attributes).toEqual({ key: created[0]!.sort });
      });

      it(`hold ${TRANSACTION_LIMIT} writes and no more, each on an item of its own`, async () => {
        const keys = Array.from({ length: TRANSACTION_LIMIT + 1 }, freshKey);
        await expectFault(ledger.transact(keys.map((key) => create(key))));
        await expectFault(ledger.transact([create(keys[0]!), { check: keys[0]!, when: 'absent' }]));
        expect(await ledger.getMany(keys)).toEqual(keys.map(() => undefined));
        expect(await ledger.transact(keys.slice(1).map((key) => create(key)))).toEqual({ done: true });
        expect(await ledger.transact([])).toEqual({ done: true });
      });
    });

    describe('queries', () => {
      const SORTS = [
        'a',
        'a#1',
        'a#10',
        'a#2',
        'a\u{10ffff}',
        'a\u{10ffff}z',
        'b',
        'é',
        '\ud7ff',
        '\ue000',
        '\uffff',
        '😀',
      ];
      let partition: string;
      beforeAll(async () => {
        partition = randomUUID();
        await ledger.writeMany(SORTS.map((sort) => create({ partition, sort }, { sort })));
        await ledger.write(create({ partition: `${partition}x`, sort: 'a' }));
      });

      it('sort by the octets of UTF-8', async () => {
        const { items, cursor } = await ledger.query(partition);
        expect(items.map(({ sort }) => sort)).toEqual([...SORTS].sort(compareSort));
        expect(items.every(({ attributes, sort }) => attributes.sort === sort)).toBe(true);
        expect(cursor).toBeUndefined();
      });

      it('an unknown partition is an empty page', async () => {
        expect(await ledger.query(randomUUID())).toEqual({ items: [], cursor: undefined });
      });

      it('bounds, prefix, direction and page size together give what the model gives', async () => {
        const text = fc.constantFrom(...SORTS, 'a#', 'A', 'z', '\u{10ffff}');
        const range = fc.record(
          { from: text, to: text, prefix: fc.oneof(text, fc.constant('')), descending: fc.boolean() },
          { requiredKeys: [] },
        );
        await fc.assert(
          fc.asyncProperty(range, fc.integer({ min: 1, max: 5 }), async (range, limit) => {
            const found = await readAll(ledger, partition, { ...range, limit });
            expect(found.map(({ sort }) => sort)).toEqual(select(SORTS, range));
          }),
          { numRuns: propertyRuns },
        );
      });

      it('a cursor goes on where the page ended, whatever came or went meanwhile', async () => {
        const own = randomUUID();
        const at = (i: number) => ({ partition: own, sort: `${i}`.padStart(3, '0') });
        await ledger.writeMany([0, 2, 4, 6, 8].map((i) => create(at(i))));
        const first = await ledger.query(own, { limit: 2 });
        await ledger.write({ remove: at(2), when: { revision: 1 } });
        await ledger.writeMany([1, 3].map((i) => create(at(i))));
        const second = await ledger.query(own, { limit: 2, cursor: first.cursor! });
        expect(second.items.map(({ sort }) => sort)).toEqual(['003', '004']);
      });

      it('refuse a limit that is none and a cursor that is not theirs', async () => {
        await expectFault(ledger.query(partition, { limit: 0 }));
        await expectFault(ledger.query(partition, { limit: 1.5 }));
        await expectFault(ledger.query(partition, { cursor: 'not a cursor' }));
        await expectFault(ledger.query(partition, { cursor: '' }));
      });
    });

    describe('values of attributes', () => {
      it('come back as they went in: JSON, octets, any nesting; undefined members are left out', async () => {
        await fc.assert(
          fc.asyncProperty(attributes(), async (value) => {
            const key = freshKey();
            await ledger.write(create(key, { ...value, nothing: undefined, inner: { nothing: undefined } }));
            const found = await ledger.get(key);
            expect(plain(found!.attributes)).toEqual(plain({ ...value, inner: {} }));
          }),
          { numRuns: propertyRuns },
        );
      });

      it('octets of every value and of none keep their type', async () => {
        const key = freshKey();
        const octets = Uint8Array.from({ length: 256 }, (_, i) => i);
        await ledger.write(create(key, { octets, none: new Uint8Array(), list: [octets.subarray(250)] }));
        const { attributes } = (await ledger.get(key))!;
        expect(attributes.octets).toBeInstanceOf(Uint8Array);
        expect(plain(attributes)).toEqual(
          plain({ octets, none: new Uint8Array(), list: [octets.subarray(250)] }),
        );
      });

      it('300 kB fit, more than 400 KB is a Fault and nothing is stored', async () => {
        const [large, larger] = [freshKey(), freshKey()];
        const content = new Uint8Array(300_000).fill(0xa5);
        expect(await ledger.write(create(large, { content }))).toMatchObject({ done: true });
        expect((await ledger.get(large))!.attributes.content).toHaveLength(300_000);
        await expectFault(ledger.write(create(larger, { content: new Uint8Array(410_000) })));
        await expectFault(ledger.transact([create(larger, { content: new Uint8Array(410_000) })]));
        await expectFault(ledger.writeMany([create(larger, { content: 'x'.repeat(410_000) })]));
        expect(await ledger.get(larger)).toBeUndefined();
      });

      it('what could not come back is refused', async () => {
        const key = freshKey();
        const unfit: unknown[] = [
          Number.NaN,
          Number.POSITIVE_INFINITY,
          1e300,
          1e-300,
          '\ud800',
          [undefined],
          new Date(0),
          new Map(),
          () => 1,
          1n,
          { $octets: 'AA==' },
          JSON.parse('{"__proto__": 1}'),
          { '': 1 },
          Array.from({ length: 20 }).reduce((inner) => [inner], []),
        ];
        for (const value of unfit) await expectFault(ledger.write(create(key, { value: value as Value })));
        expect(await ledger.get(key)).toBeUndefined();
      });

      it('keys that one of the stores could not hold are refused', async () => {
        const [partition, sort] = ['p', 's'];
        const unfit: ItemKey[] = [
          { partition: '', sort },
          { partition, sort: '' },
          { partition: 'p'.repeat(2049), sort },
          { partition, sort: 'é'.repeat(513) },
          { partition, sort: 's\0' },
          { partition, sort: '\udc00' },
        ];
        for (const key of unfit) {
          await expectFault(ledger.get(key));
          await expectFault(ledger.getMany([key]));
          await expectFault(ledger.write(create(key)));
        }
        const longest = { partition: randomUUID().padEnd(2048, 'é').slice(0, 1042), sort: 's'.repeat(1024) };
        expect(await ledger.write(create(longest))).toEqual({ done: true, revision: 1 });
      });
    });

    it('a sequence of any calls leaves what the model holds', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step(), { minLength: 1, maxLength: 25 }), async (steps) => {
          const partition = randomUUID();
          const model = new Map<string, Item>();
          for (const { kind, writes } of steps) {
            const planned = kind === 'write' ? writes.slice(0, 1) : writes;
            const named = planned.map((write) => write(partition, model));
            if (kind === 'transact') {
              const failed = named.flatMap((write, i) =>
                holds(model, write) ? [] : [[i, find(model, write)] as const],
              );
              const outcome = await ledger.transact(named);
              expect(outcome).toEqual(
                failed.length === 0 ? { done: true } : { done: false, failed: new Map(failed) },
              );
              if (failed.length === 0) for (const write of named) apply(model, write);
              continue;
            }
            const outcomes =
              kind === 'writeMany' ? await ledger.writeMany(named) : [await ledger.write(named[0]!)];
            for (const [i, write] of named.entries()) {
              const before = find(model, write);
              const held = holds(model, write);
              if (held) apply(model, write);
              const revision = find(model, write)?.revision ?? before?.revision ?? 0;
              expect(outcomes[i]).toEqual(held ? { done: true, revision } : { done: false, found: before });
            }
          }
          const expected = [...model.values()].sort((a, b) => compareSort(a.sort, b.sort));
          expect(await readAll(ledger, partition, { limit: 3 })).toEqual(expected);
        }),
        { numRuns: propertyRuns },
      );
    });
  });
}

export function freshKey(): ItemKey {
  return { partition: randomUUID(), sort: randomUUID() };
}

async function expectFault(work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  expect(['ledger', 'invariant']).toContain((error as Fault).code);
}

async function readAll(ledger: Ledger, partition: string, range: Range & { limit: number }): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page: Page = await ledger.query(partition, cursor === undefined ? range : { ...range, cursor });
    expect(page.items.length).toBeLessThanOrEqual(range.limit);
    if (page.cursor !== undefined) expect(page.cursor).not.toBe(cursor);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

/** The model of a query. */
function select(sorts: readonly string[], { from, to, prefix, descending }: Range): string[] {
  const chosen = sorts
    .filter((sort) => from === undefined || compareSort(sort, from) >= 0)
    .filter((sort) => to === undefined || compareSort(sort, to) <= 0)
    .filter((sort) => sort.startsWith(prefix ?? ''))
    .sort(compareSort);
  return descending ? chosen.reverse() : chosen;
}

function sortOf(write: Write): string {
  if ('put' in write) return write.put.sort;
  return 'remove' in write ? write.remove.sort : write.check.sort;
}

function find(model: ReadonlyMap<string, Item>, write: Write): Item | undefined {
  return model.get(sortOf(write));
}

function holds(model: ReadonlyMap<string, Item>, write: Write): boolean {
  const found = find(model, write);
  return write.when === 'absent' ? found === undefined : found?.revision === write.when.revision;
}

function apply(model: Map<string, Item>, write: Write): void {
  const revision = (find(model, write)?.revision ?? 0) + 1;
  if ('put' in write) model.set(write.put.sort, { ...write.put, revision, attributes: write.attributes });
  if ('remove' in write) model.delete(write.remove.sort);
}

type Planned = (partition: string, model: ReadonlyMap<string, Item>) => Write;

/** A call on few items, with conditions that hold about as often as not. */
function step() {
  const planned = fc
    .record({
      sort: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      kind: fc.constantFrom('put', 'put', 'remove', 'check'),
      expects: fc.constantFrom('absent', 'found', 'found', 'other'),
      n: fc.integer(),
    })
    .map(({ sort, kind, expects, n }) => ({
      sort,
      plan: ((partition, model) => {
        const key = { partition, sort };
        const revision = (model.get(sort)?.revision ?? 1) + (expects === 'other' ? 1 : 0);
        if (kind === 'remove') return { remove: key, when: { revision } };
        const when = expects === 'absent' ? 'absent' : { revision };
        return kind === 'check' ? { check: key, when } : { put: key, attributes: { n }, when };
      }) satisfies Planned as Planned,
    }));
  return fc.record({
    kind: fc.constantFrom('write', 'writeMany', 'transact'),
    writes: fc
      .uniqueArray(planned, { minLength: 1, maxLength: 4, selector: ({ sort }) => sort })
      .map((writes) => writes.map(({ plan }) => plan)),
  });
}

function attributes(): fc.Arbitrary<Attributes> {
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 8 })
    .filter((text) => !/^\$|^__proto__$/.test(text));
  const number = fc
    .oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, min: -1e100, max: 1e100 }))
    .map((value) => (Math.abs(value) < 1e-100 ? 0 : value));
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      number,
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 80 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  return fc.dictionary(name, value, { maxKeys: 6, noNullPrototype: true });
}

/** Octets made comparable whatever subclass of Uint8Array holds them, and told apart from text. */
function plain(value: Value | undefined): unknown {
  if (value instanceof Uint8Array) return { octets: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member as Value)]));
}

/** The same items in an order that depends on the seed (Fisher-Yates on a small linear congruential generator). */
function shuffled<Element>(elements: readonly Element[], seed: number): Element[] {
  const result = [...elements];
  let state = seed + 1;
  for (let i = result.length - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const j = state % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
