import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { BRAINPOOL_P256R1, P256 } from '../../shared/crypto/curves.ts';
import { NODE_ALONE, openSslCurve } from '../../shared/crypto/openssl-curve.ts';
import {
  functionsBy,
  type Koffi,
  type OpenSslFunctions,
  opensslKeysOf,
} from '../../shared/crypto/openssl-functions.ts';
import { Fault } from '../../shared/errors.ts';

const requireKoffi = () => createRequire(import.meta.url)('koffi') as Koffi;
const functions = functionsBy(requireKoffi);
const skipped = functions === null ? ' (skipped: the optional package koffi is not installed)' : '';

const CURVES = [P256, BRAINPOOL_P256R1].map((curve) => ({ ...curve, openSslName: curve.openSslName! }));

describe.skipIf(functions === null)(`ephemeral keys by OpenSSL's own functions${skipped}`, () => {
  it.each(CURVES)('agree on $name as those of node:crypto do, on either side', (facts) => {
    const [direct, node] = [openSslCurve(facts), openSslCurve(facts, NODE_ALONE)];
    for (let round = 0; round < 20; round++) {
      const [ours, theirs] = [direct.generateEphemeral(), node.generateEphemeral()];
      const secret = toHex(ours.agree(node.publicKey(theirs.point)));
      expect(secret).toBe(toHex(theirs.agree(direct.publicKey(ours.point))));
      expect(secret).toMatch(/^[0-9a-f]{64}$/);
      ours.wipe();
      theirs.wipe();
    }
  });

  it('are another one each time', () => {
    const make = opensslKeysOf(CURVES[0]!, functions)!;
    const keys = Array.from({ length: 50 }, () => make());
    expect(new Set(keys.map(({ point }) => toHex(point))).size).toBe(50);
    for (const key of keys) key.free();
  });

  it('are freed once, and agree no more', () => {
    let freed = 0;
    const counting: OpenSslFunctions = {
      ...functions!,
      freeKey: (key) => {
        freed += 1;
        return functions!.freeKey(key);
      },
    };
    const key = opensslKeysOf(CURVES[0]!, counting)!();
    const before = freed;
    key.free();
    key.free();
    expect(freed).toBe(before + 1);
    expect(() => key.agree(P256.generateEphemeral().point)).toThrow('wiped');
  });

  it('refuse a point that is not on the curve, and take one that is afterwards', () => {
    const key = opensslKeysOf(CURVES[0]!, functions)!();
    const { point } = P256.generateEphemeral();
    const beside = Buffer.from(point);
    beside[64]! ^= 1;
    expect(() => key.agree(beside)).toThrow(Fault);
    expect(() => key.agree(point.subarray(0, 64))).toThrow(Fault);
    expect(key.agree(point)).toHaveLength(32);
    key.free();
  });

  it('leave nothing in the queue of errors of this thread', () => {
    const peek = requireKoffi().load(null).func('unsigned long ERR_peek_error()');
    const key = opensslKeysOf(CURVES[0]!, functions)!();
    const beside = Buffer.from(P256.generateEphemeral().point);
    beside[64]! ^= 1;
    functions!.clearErrors();
    expect(() => key.agree(beside)).toThrow(Fault);
    expect(Number(peek())).toBe(0);
    key.free();
  });

  it('give back what they took where one of the functions fails', () => {
    let open = 0;
    const failing = (fails: Partial<OpenSslFunctions>): OpenSslFunctions => ({
      ...functions!,
      newKey: (nid) => {
        open += 1;
        return functions!.newKey(nid);
      },
      freeKey: (key) => {
        open -= 1;
        return functions!.freeKey(key);
      },
      newPoint: (group) => {
        open += 1;
        return functions!.newPoint(group);
      },
      freePoint: (point) => {
        open -= 1;
        return functions!.freePoint(point);
      },
      ...fails,
    });
    for (const fails of [
      { generateKey: () => 0 },
      { writePoint: () => 0 },
      { readPoint: () => 0 },
      { agree: () => -1 },
    ] satisfies Partial<OpenSslFunctions>[])
      expect(opensslKeysOf(CURVES[0]!, failing(fails))).toBeUndefined();
    expect(open).toBe(0);
  });

  it('are not used where they come to another secret than node:crypto', () => {
    const wrong: OpenSslFunctions = { ...functions!, agree: (secret) => secret.fill(1).length };
    expect(opensslKeysOf(CURVES[0]!, wrong)).toBeUndefined();
  });

  it('are not used for a curve that OpenSSL does not know', () => {
    expect(opensslKeysOf({ openSslName: 'frp256v1', coordinateLength: 32 }, functions)).toBeUndefined();
  });
});

describe('without these functions', () => {
  it.each([
    ['no koffi is installed', () => requireKoffiOf('no-such-package')],
    ['the program has none of them', () => ({ load: () => ({ func: missing }) })],
  ])('nothing is loaded where %s', (_, load) => {
    expect(functionsBy(load)).toBeNull();
  });

  it.each(CURVES)('ephemeral keys of $name are made by node:crypto', (facts) => {
    const curve = openSslCurve(facts, { ...NODE_ALONE, keysOf: () => opensslKeysOf(facts, null) });
    const [ours, theirs] = [curve.generateEphemeral(), curve.generateEphemeral()];
    expect(toHex(ours.agree(curve.publicKey(theirs.point)))).toBe(
      toHex(theirs.agree(curve.publicKey(ours.point))),
    );
  });
});

const requireKoffiOf = (name: string) => createRequire(import.meta.url)(name) as Koffi;

function missing(): never {
  throw new Error('Cannot find function');
}
