import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../shared/codec/canonical-json.ts';
import { decodeAttributes, encodeAttributes, ITEM_LIMIT, itemSize } from '../../shared/ledger/item.ts';

describe('attributes as text', () => {
  it('are canonical: sorted names, nothing undefined, octets tagged', () => {
    const octets = new Uint8Array([0xff, 0x00, 0x7f]);
    const text = encodeAttributes({
      b: [1, null, octets],
      a: { z: true, y: undefined, x: 'é"' },
      c: undefined,
      n: -0,
    });
    expect(text).toBe('{"a":{"x":"é\\"","z":true},"b":[1,null,{"$octets":"/wB/"}],"n":0}');
    expect(encodeAttributes(decodeAttributes(text))).toBe(text);
  });

  it('sorts few names and many alike, by their UTF-16 code units', () => {
    for (const count of [2, 24, 25, 60]) {
      const names = Array.from(
        { length: count },
        (_, i) => `${String.fromCodePoint(0xff00 - 97 * i)}${i % 7}`,
      );
      const attributes = Object.fromEntries(names.map((name, i) => [name, i]));
      const written = Object.keys(JSON.parse(encodeAttributes(attributes)) as object);
      expect(written).toEqual([...names].sort());
      expect(Object.keys(JSON.parse(canonicalJson(attributes)) as object)).toEqual(written);
    }
  });

  it('octets are told from text that looks like them', () => {
    const attributes = { text: '{"$octets":"AA=="}', octets: new Uint8Array([0]) };
    const decoded = decodeAttributes(encodeAttributes(attributes));
    expect(decoded.text).toBe(attributes.text);
    expect(decoded.octets).toBeInstanceOf(Uint8Array);
  });

  it('a view into a larger buffer is stored as what it shows', () => {
    const octets = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect(encodeAttributes({ octets })).toBe('{"octets":{"$octets":"AgM="}}');
  });

  it('that are not ours are a Fault', () => {
    expect(() => decodeAttributes('{')).toThrow(expect.objectContaining({ code: 'ledger' }));
  });
});

describe('the size of an item', () => {
  const key = { partition: 'p', sort: 's' };

  it('counts what DynamoDB counts: names, text in UTF-8, raw octets, 3 + 1 for each list or map and member', () => {
    const empty = itemSize({ ...key, attributes: {} });
    const more = (attributes: Parameters<typeof itemSize>[0]['attributes']) =>
      itemSize({ ...key, attributes }) - empty;
    expect(more({ name: 'é' })).toBe(1 + 4 + 2);
    expect(more({ name: new Uint8Array(65) })).toBe(1 + 4 + 65);
    expect(more({ name: null })).toBe(1 + 4 + 1);
    expect(more({ name: [true, false] })).toBe(1 + 4 + 3 + 2 * 2);
    expect(more({ name: { a: true } })).toBe(1 + 4 + 3 + (1 + 1 + 1));
  });

  it('an item with a compressed key, a signature and two identifiers is one write unit', () => {
    const attributes = {
      eid: '8'.repeat(32),
      key: new Uint8Array(65),
      proof: new Uint8Array(64),
      job: 'j'.repeat(36),
    };
    expect(itemSize({ partition: 'p'.repeat(60), sort: 's'.repeat(60), attributes })).toBeLessThan(1024);
    expect(ITEM_LIMIT).toBe(409_600);
  });
});
