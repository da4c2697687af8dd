import { describe, expect, it } from 'vitest';
import { Refusal } from '../../shared/errors.ts';
import { parseJson } from '../../shared/gsma/json.ts';

function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('strict JSON', () => {
  it('reads what JSON.parse reads', () => {
    for (const text of [
      '{}',
      '[1,2,{"a":"b"}]',
      ' {"a" : {"a":1}, "b":[{"a":1},{"a":2}]} ',
      '{"quote":"\\"","slash":"\\\\","a\\"b":1}',
      '"{\\"a\\":1,\\"a\\":2}"',
      'null',
    ]) {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }
  });

  it('refuses a name that occurs twice, however it is written', () => {
    for (const text of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '[{"b":{"c":1,"d":2,"c":3}}]']) {
      expect(refusalOf(() => parseJson(text)).code).toBe('protocolFormat');
    }
  });

  it('refuses __proto__ as a name', () => {
    expect(refusalOf(() => parseJson('{"__proto__":{"role":"operator"}}')).code).toBe('protocolFormat');
  });

  it('refuses nesting and width that cost memory before they are parsed', () => {
    expect(refusalOf(() => parseJson('['.repeat(4_000_000))).code).toBe('tooLarge');
    expect(parseJson('['.repeat(16) + ']'.repeat(16))).toBeDefined();
    expect(refusalOf(() => parseJson('['.repeat(17) + ']'.repeat(17))).code).toBe('tooLarge');
    const wide = Array.from({ length: 257 }, (_, i) => `"m${i}":0`).join(',');
    expect(refusalOf(() => parseJson(`{${wide}}`)).code).toBe('tooLarge');
  });

  it('refuses every truncation and never quotes the body', () => {
    const text = '{"outputKey":{"k":"SECRET-VALUE"},"list":[1,"\\u00e9",true]}';
    for (let length = 0; length < text.length; length++) {
      const refusal = refusalOf(() => parseJson(text.slice(0, length)));
      expect(refusal.code).toBe('protocolFormat');
      expect(refusal.message).not.toContain('SECRET');
      expect(refusal.cause).toBeUndefined();
    }
  });

  it('refuses a byte order mark, comments, trailing commas and trailing text', () => {
    for (const text of ['\ufeff{}', '{}//', '{"a":1,}', '{} {}', '{a:1}', "{'a':1}", '{"a":01}', 'NaN']) {
      expect(refusalOf(() => parseJson(text)).code).toBe('protocolFormat');
    }
  });

  it('scans strings of backslashes in linear time', () => {
    const startedAt = performance.now();
    refusalOf(() => parseJson(`{"a":"${'\\"'.repeat(1_000_000)}`));
    refusalOf(() => parseJson(`{"a":"${'\\'.repeat(2_000_001)}"`));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
