import { describe, expect, it } from 'vitest';
import { repeatedMember } from '../../shared/codec/json-names.ts';

describe('a member that stands twice in one JSON object', () => {
  it.each([
    ['at the top', '{"a":1,"b":2,"a":3}', { name: 'a', line: 1 }],
    ['written in another way', '{"a":1,\n"\\u0061":3}', { name: 'a', line: 2 }],
    ['in an object of a list', '{"list":[{},\n{"k":1,\n"k":2}]}', { name: 'k', line: 3 }],
    ['that would be the prototype', '{"__proto__":{}}', { name: '__proto__', line: 1 }],
    ['whose name is not shown', '{"a b":1,"a b":2}', { name: 'a member', line: 1 }],
  ])('%s', (_, text, found) => expect(repeatedMember(text)).toEqual(found));
  it.each([
    ['in two objects', '[{"a":1},{"a":2}]'],
    ['in an object and in one inside it', '{"a":{"a":1}}'],
    ['as name and as value', '{"a":"a","b":"a"}'],
    ['within a text', '{"a":"{\\"a\\":1,\\"a\\":2}"}'],
    ['in what is no JSON', '{"a":1,"a'],
  ])('is none %s', (_, text) => expect(repeatedMember(text)).toBeUndefined());
});
