import { verify } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { BRAINPOOL_P256R1, type Curve, P256 } from '../../shared/crypto/curves.ts';
import {
  type FixedBaseFunctions,
  type FixedBaseTable,
  fixedBaseFunctionsBy,
  fixedBaseOf,
} from '../../shared/crypto/fixed-base-verification.ts';
import { MuchAskedKeys, PAYS_AFTER } from '../../shared/crypto/much-asked-keys.ts';
import { NODE_ALONE, openSslCurve, type Ways } from '../../shared/crypto/openssl-curve.ts';
import type { Koffi } from '../../shared/crypto/openssl-functions.ts';
import { count } from '../support/counts.ts';
import { effort, LONG } from '../support/effort.ts';
import {
  DIGEST,
  GOOD,
  N,
  NO_POINTS,
  P,
  r,
  SIGNATURE_CASES,
  s,
  sha256,
  sigValueOf,
} from './signature-cases.ts';
import { counted, damaged, keyPair, opensslFacts } from './signing.ts';

const requireKoffi = () => createRequire(import.meta.url)('koffi') as Koffi;
const functions = fixedBaseFunctionsBy(requireKoffi);
const skipped = functions === null ? ' (skipped: the optional package koffi is not installed)' : '';
const facts = opensslFacts(P256);
const PAIRS = {
  newGroup: 'freeGroup',
  newPoint: 'freePoint',
  newNumber: 'freeNumber',
  newContext: 'freeContext',
} as const;
/** Of one curve: group, context, seven numbers, two points. */
const OF_CURVE = 11;

const another = Uint8Array.from(DIGEST, (octet, i) => (i === 31 ? octet ^ 1 : octet));

/** The cases by their keys, since making a table takes a while. */
const byKey = Map.groupBy(SIGNATURE_CASES, ({ point }) => toHex(point));

describe.skipIf(functions === null)(`verification with a table of the key${skipped}`, () => {
  it('finds each case as it says', () => {
    const base = fixedBaseOf(facts, functions)!;
    const good = base.table(GOOD.point)!;
    let tried = 0;
    for (const cases of byKey.values()) {
      const table = base.table(cases[0]!.point)!;
      for (const { name, holds, digest, sigValue } of cases) {
        // what is left of it in the numbers is that of a signature that holds
        expect(good.holds(GOOD.digest, GOOD.sigValue)).toBe(true);
        expect(table.holds(digest, sigValue), name).toBe(holds);
        tried += 1;
      }
      table.free();
    }
    expect(tried).toBe(SIGNATURE_CASES.length);
    count('vectors', tried);
    base.free();
  });

  it('judges random and damaged signatures as node:crypto', () => {
    const keys = [keyPair(P256), keyPair(P256)] as const;
    const base = fixedBaseOf(facts, functions)!;
    const tables = new Map(keys.map((key) => [key, base.table(key.point)!]));
    let held = 0;
    const runs = effort({ short: 500, long: 10_000 });
    fc.assert(
      fc.property(damaged(keys), ({ key, message, digest, sigValue }) => {
        const expected = verify('sha256', message, key.publicKey, sigValue);
        held += Number(expected);
        return tables.get(key)!.holds(digest, sigValue) === expected;
      }),
      { numRuns: runs },
    );
    expect(held).toBeGreaterThan(runs / 20);
    expect(held).toBeLessThan(runs);
    count('properties', runs);
  });

  it('judges signatures of random keys as node:crypto', () => {
    const base = fixedBaseOf(facts, functions)!;
    for (let made = 0; made < effort({ short: 10, long: 100 }); made++) {
      const [key, other] = [keyPair(P256), keyPair(P256)];
      const table = base.table(key.point)!;
      for (let signed = 0; signed < 20; signed++) {
        const message = Buffer.from(`${made} ${signed}`);
        const digest = sha256(message);
        expect(table.holds(digest, key.sign(message))).toBe(true);
        expect(table.holds(digest, other.sign(message))).toBe(false);
        expect(table.holds(sha256(Buffer.from('other')), key.sign(message))).toBe(false);
      }
      table.free();
    }
  });

  it.each(NO_POINTS)('makes no table of %s', (_, octets) => {
    const { functions: counting, tally } = counted(functions!, PAIRS);
    const base = fixedBaseOf(facts, counting)!;
    expect(base.table(octets)).toBeUndefined();
    expect(tally.open).toBe(OF_CURVE);
  });

  it('takes no r or s outside of 1 to n − 1, whatever the x coordinate is', () => {
    // an x that is always r: only what is asked of r and s themselves refuses then
    const always = { ...functions!, compare: () => 0 };
    const table = fixedBaseOf(facts, always)!.table(GOOD.point)!;
    const inside = [1n, 2n, r, s, N - 2n, N - 1n];
    const outside = [0n, N, N + 1n, N + r, P, 1n << 256n, (1n << 256n) - 1n, -1n, -r];
    for (const one of inside) {
      for (const other of inside) expect(table.holds(DIGEST, sigValueOf(one, other))).toBe(true);
      for (const other of outside) {
        expect(table.holds(DIGEST, sigValueOf(one, other))).toBe(false);
        expect(table.holds(DIGEST, sigValueOf(other, one))).toBe(false);
      }
    }
  });

  it.each([0, 20, 31, 33, 48, 64])('takes no digest of %d octets', (length) => {
    const table = fixedBaseOf(facts, functions)!.table(GOOD.point)!;
    const whole = Buffer.concat([DIGEST, DIGEST]);
    expect(table.holds(whole.subarray(0, length), GOOD.sigValue)).toBe(false);
    // as many octets as would be the same number
    expect(table.holds(Buffer.concat([Buffer.alloc(1), DIGEST]), GOOD.sigValue)).toBe(false);
  });

  const STEPS = {
    readNumber: null,
    invert: null,
    multiply: 0,
    multiplyGenerator: 0,
    addPoints: 0,
    xOf: 0,
    reduce: 0,
    compare: 1,
  } as const satisfies Partial<Record<keyof FixedBaseFunctions, unknown>>;

  it.each(Object.entries(STEPS))(
    'finds no signature good where %s fails, whichever call of it',
    (name, failed) => {
      // an r that is always found, so that nothing but the failure refuses
      const failing = { ...functions!, ...(name !== 'compare' && { compare: () => 0 }) };
      const original = functions![name as keyof typeof STEPS] as (...args: unknown[]) => unknown;
      const table = fixedBaseOf(facts, failing)!.table(GOOD.point)!;
      let calls = 0;
      Object.assign(failing, {
        [name]: (...args: unknown[]) => {
          calls += 1;
          return original(...args);
        },
      });
      expect(table.holds(DIGEST, GOOD.sigValue)).toBe(true);
      const asked = calls;
      expect(asked).toBeGreaterThan(0);
      for (let fails = 1; fails <= asked; fails++) {
        calls = 0;
        Object.assign(failing, {
          [name]: (...args: unknown[]) => {
            calls += 1;
            return calls === fails ? failed : original(...args);
          },
        });
        expect(table.holds(DIGEST, GOOD.sigValue)).toBe(false);
        expect(table.holds(DIGEST, GOOD.sigValue)).toBe(true);
      }
    },
  );

  it.each(['readPoint', 'setGenerator', 'precompute', 'hasPrecomputed'] as const)(
    'makes no table where %s fails, and gives back what it took',
    (name) => {
      const { functions: counting, tally } = counted(functions!, PAIRS);
      const failing = { ...counting, hasPrecomputed: () => 1, [name]: () => 0 };
      expect(fixedBaseOf(facts, failing)!.table(GOOD.point)).toBeUndefined();
      expect(tally.open).toBe(OF_CURVE);
    },
  );

  it('takes nothing more of OpenSSL for a verification, a group for a table, and gives all back', () => {
    const { functions: counting, tally } = counted(functions!, PAIRS);
    const base = fixedBaseOf(facts, counting)!;
    expect(tally.made).toBe(OF_CURVE);
    const table = base.table(GOOD.point)!;
    for (const { digest, sigValue } of SIGNATURE_CASES) table.holds(digest, sigValue);
    expect(tally).toEqual({ made: OF_CURVE + 1, open: OF_CURVE + 1 });
    table.free();
    table.free();
    expect(tally.open).toBe(OF_CURVE);
    expect(() => table.holds(DIGEST, GOOD.sigValue)).toThrow('put aside');
    base.free();
    expect(tally.open).toBe(0);
  });

  it('leaves nothing in OpenSSL’s queue of errors', () => {
    const peek = requireKoffi().load(null).func('unsigned long ERR_peek_error()');
    const base = fixedBaseOf(facts, functions)!;
    const table = base.table(GOOD.point)!;
    for (const { digest, sigValue } of SIGNATURE_CASES) table.holds(digest, sigValue);
    expect(Number(peek())).toBe(0);
    for (const [, octets] of NO_POINTS) base.table(octets);
    expect(Number(peek())).toBe(0);
  });

  it('is of P-256 alone', () => {
    expect(fixedBaseOf(opensslFacts(BRAINPOOL_P256R1), functions)).toBeUndefined();
  });

  it.runIf(LONG)('keeps nothing of 100,000 verifications and of 200 tables resident', () => {
    const base = fixedBaseOf(facts, functions)!;
    const table = base.table(GOOD.point)!;
    const round = () => {
      for (let i = 0; i < 50_000; i++) table.holds(i % 2 === 0 ? DIGEST : another, GOOD.sigValue);
      for (let i = 0; i < 100; i++) base.table(GOOD.point)!.free();
      return process.memoryUsage.rss();
    };
    round();
    const before = round();
    // 50,000 numbers that were kept are 2.4 MB, and 100 tables 15
    expect(round() - before).toBeLessThan(2_000_000);
  });
});

describe.skipIf(functions === null)(`keys that are asked much${skipped}`, () => {
  const small = (limits: { paysAfter?: number; tables?: number; keys?: number }) => {
    const { functions: counting, tally } = counted(functions!, PAIRS);
    const keys = new MuchAskedKeys(fixedBaseOf(facts, counting)!, { paysAfter: 3, ...limits });
    return { keys, tables: () => tally.open - OF_CURVE, made: () => tally.made - OF_CURVE };
  };
  const signers = Array.from({ length: 6 }, () => {
    const key = keyPair(P256);
    const message = Buffer.from(toHex(key.point));
    return { point: key.point, digest: sha256(message), sigValue: key.sign(message) };
  });
  const held = (keys: MuchAskedKeys, index: number, times = 1) => {
    const { point, digest, sigValue } = signers[index]!;
    for (let i = 0; i < times; i++) keys.held(point, digest, sigValue);
  };
  const has = (keys: MuchAskedKeys, index: number) => {
    const { point, digest, sigValue } = signers[index]!;
    const table: FixedBaseTable | undefined = keys.tableOf(point);
    if (table === undefined) return false;
    expect(table.holds(digest, sigValue)).toBe(true);
    expect(table.holds(signers[(index + 1) % signers.length]!.digest, sigValue)).toBe(false);
    return true;
  };

  it('have a table once it pays, and their own', () => {
    const { keys, tables } = small({});
    held(keys, 0, 2);
    held(keys, 1, 2);
    expect([has(keys, 0), has(keys, 1), tables()]).toEqual([false, false, 0]);
    held(keys, 0);
    expect([has(keys, 0), has(keys, 1), tables()]).toEqual([true, false, 1]);
    held(keys, 1);
    expect([has(keys, 0), has(keys, 1), tables()]).toEqual([true, true, 2]);
  });

  it('are put aside with their table freed, the one asked longest ago first, and begin anew', () => {
    const { keys, tables, made } = small({ tables: 2 });
    for (const index of [0, 1]) held(keys, index, 3);
    expect(has(keys, 0)).toBe(true);
    held(keys, 2, 3);
    expect([0, 1, 2].map((index) => has(keys, index))).toEqual([true, false, true]);
    expect(tables()).toBe(2);
    held(keys, 1, 2);
    expect(has(keys, 1)).toBe(false);
    held(keys, 1);
    expect([0, 1, 2].map((index) => has(keys, index))).toEqual([false, true, true]);
    expect([tables(), made()]).toEqual([2, 4]);
    keys.free();
    expect(tables()).toBe(0);
  });

  it('are counted up to so many, and forgotten with their table', () => {
    const { keys, tables } = small({ keys: 2, tables: 2 });
    held(keys, 0, 3);
    expect([has(keys, 0), tables()]).toEqual([true, 1]);
    held(keys, 1, 2);
    held(keys, 2);
    expect([has(keys, 0), tables()]).toEqual([false, 0]);
    held(keys, 0);
    held(keys, 2);
    held(keys, 1);
    expect([has(keys, 1), tables()]).toEqual([false, 0]);
  });

  it('go without a table that does not judge as node:crypto has, and are not tried again', () => {
    const { digest, sigValue, point } = signers[0]!;
    for (const compare of [() => 0, () => 1]) {
      const { functions: counting, tally } = counted(functions!, PAIRS);
      const keys = new MuchAskedKeys(fixedBaseOf(facts, { ...counting, compare })!, { paysAfter: 3 });
      for (let i = 0; i < 10; i++) keys.held(point, digest, sigValue);
      expect(keys.tableOf(point)).toBeUndefined();
      expect(tally).toEqual({ made: OF_CURVE + 1, open: OF_CURVE });
    }
  });

  const withTables = (base = fixedBaseOf(facts, functions)!): { ways: Ways; keys: MuchAskedKeys } => {
    const keys = new MuchAskedKeys(base, { paysAfter: 1 });
    return { ways: { ...NODE_ALONE, muchAskedOf: () => keys }, keys };
  };

  it('sign what holds for node:crypto alone too, and nothing else', () => {
    const [ours, nodes] = [openSslCurve(facts, withTables().ways), openSslCurve(facts, NODE_ALONE)];
    const verdict = (curve: Curve, { point, message, sigValue }: (typeof SIGNATURE_CASES)[number]) =>
      curve.sigValueHolds(curve.publicKey(point), message!, sigValue);
    // each key that signs gets a table, which takes a while
    const cases = SIGNATURE_CASES.filter(
      ({ message, point }, i) => message !== undefined && (LONG || i % 8 === 0 || point === GOOD.point),
    );
    for (const one of cases) expect(verdict(ours, one), one.name).toBe(verdict(nodes, one));
  });

  it('are asked at node:crypto where their table refuses', () => {
    const failing = { ...functions! };
    const { ways, keys } = withTables(fixedBaseOf(facts, failing)!);
    const curve = openSslCurve(facts, ways);
    const signer = keyPair(P256);
    const key = curve.publicKey(signer.point);
    const message = Buffer.from('message');
    expect(curve.sigValueHolds(key, message, signer.sign(message))).toBe(true);
    expect(keys.tableOf(signer.point)).toBeDefined();
    let asked = 0;
    failing.compare = () => {
      asked += 1;
      return 1;
    };
    expect(curve.sigValueHolds(key, message, signer.sign(message))).toBe(true);
    expect(curve.sigValueHolds(key, Buffer.from('massage'), signer.sign(message))).toBe(false);
    expect(asked).toBe(2);
  });

  it('count no signature that does not hold', () => {
    const { ways, keys } = withTables();
    const curve = openSslCurve(facts, ways);
    const signer = keyPair(P256);
    const key = curve.publicKey(signer.point);
    expect(curve.sigValueHolds(key, Buffer.from('massage'), signer.sign(Buffer.from('message')))).toBe(false);
    expect(keys.tableOf(signer.point)).toBeUndefined();
    // nor was a table held against it, which would have been the only one
    const message = Buffer.from('message');
    expect(curve.sigValueHolds(key, message, signer.sign(message))).toBe(true);
    expect(keys.tableOf(signer.point)).toBeDefined();
  });

  it(`have one in the server’s own curve after ${PAYS_AFTER} certificates, by the same verdicts`, () => {
    const signer = keyPair(P256);
    const key = P256.publicKey(signer.point);
    for (let made = 0; made < PAYS_AFTER + 50; made++) {
      const message = Buffer.from(`certificate ${made}`);
      const sigValue = signer.sign(message);
      expect(P256.sigValueHolds(key, message, sigValue)).toBe(true);
      expect(P256.sigValueHolds(key, Buffer.from(`certificate ${made + 1}`), sigValue)).toBe(false);
    }
  });
});
