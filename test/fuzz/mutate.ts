type Below = (limit: number) => number;

/** Octets that lengths, tags and numbers are most sensitive to. */
const ODD = [0x00, 0x01, 0x1f, 0x20, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x85, 0xa0, 0xbf, 0xfe, 0xff];
const LONGEST_INSERT = 64;
/** One mutation leaves at most so many octets: what is longer is for tests of limits. */
const MAX_LENGTH = 200_000;

/** One changed form of the octets; `other` is what a stretch may be taken from. */
export function mutate(octets: Uint8Array, other: Uint8Array, below: Below): Uint8Array {
  let result = octets;
  for (let edits = 1 + below(3); edits > 0; edits--)
    result = EDITS[below(EDITS.length)]!(result, other, below);
  return result.length > MAX_LENGTH ? result.subarray(0, MAX_LENGTH) : result;
}

type Edit = (octets: Uint8Array, other: Uint8Array, below: Below) => Uint8Array;

const overwritten: Edit = (octets, _, below) => {
  const result = new Uint8Array(octets);
  if (result.length > 0) result[below(result.length)] = below(2) === 0 ? below(256) : ODD[below(ODD.length)]!;
  return result;
};

const flipped: Edit = (octets, _, below) => {
  const result = new Uint8Array(octets);
  if (result.length > 0) result[below(result.length)]! ^= 1 << below(8);
  return result;
};

const cut: Edit = (octets, _, below) => octets.subarray(0, below(octets.length + 1));

const removed: Edit = (octets, _, below) => {
  const at = below(octets.length + 1);
  return joined(octets.subarray(0, at), octets.subarray(at + 1 + below(8)));
};

const inserted: Edit = (octets, other, below) => {
  const at = below(octets.length + 1);
  const from = below(other.length + 1);
  const taken = other.subarray(from, from + 1 + below(LONGEST_INSERT));
  return joined(octets.subarray(0, at), taken, octets.subarray(at));
};

/** An element taken out, put twice, replaced by one of the other, or given another tag; the lengths around it agree. */
const elementChanged: Edit = (octets, other, below) => {
  const tree = elementsOf(octets);
  const mine = flat(tree);
  if (mine.length === 0) return overwritten(octets, other, below);
  const chosen = mine[below(mine.length)]!;
  const theirs = flat(elementsOf(other));
  const kind = below(theirs.length === 0 ? 3 : 4);
  if (kind === 0) chosen.times = 0;
  else if (kind === 1) chosen.times = 2 + below(3);
  else if (kind === 2) chosen.tag = Uint8Array.of(ODD[below(ODD.length)]!);
  else chosen.replacement = theirs[below(theirs.length)]!.raw;
  return joined(...tree.map(encoded));
};

const EDITS: readonly Edit[] = [
  overwritten,
  flipped,
  flipped,
  cut,
  removed,
  inserted,
  elementChanged,
  elementChanged,
  elementChanged,
];

interface Element {
  tag: Uint8Array;
  readonly raw: Uint8Array;
  readonly value: Uint8Array;
  readonly children: readonly Element[] | undefined;
  times: number;
  replacement?: Uint8Array;
}

const DEPTH = 12;

/** The elements as far as the octets are such; a reader of its own, so that it passes what ours refuses. */
function elementsOf(octets: Uint8Array, depth = 0): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < octets.length; ) {
    let end = at + 1;
    if ((octets[at]! & 0x1f) === 0x1f) {
      while (end < octets.length && (octets[end]! & 0x80) !== 0) end += 1;
      end += 1;
    }
    const tag = octets.subarray(at, end);
    const initial = octets[end++];
    if (initial === undefined) return [];
    let length = initial;
    if (initial > 0x80) {
      length = 0;
      for (let left = initial & 0x7f; left > 0; left--) length = length * 256 + (octets[end++] ?? 0);
    }
    const value = octets.subarray(end, end + length);
    if (value.length !== length) return [];
    const nested = (octets[at]! & 0x20) !== 0 && depth < DEPTH ? elementsOf(value, depth + 1) : [];
    const children = nested.length > 0 ? nested : undefined;
    elements.push({ tag, raw: octets.subarray(at, end + length), value, children, times: 1 });
    at = end + length;
  }
  return elements;
}

const flat = (elements: readonly Element[]): Element[] =>
  elements.flatMap((element) => [element, ...flat(element.children ?? [])]);

function encoded({ tag, value, children, times, replacement }: Element): Uint8Array {
  const content = children === undefined ? value : joined(...children.map(encoded));
  const whole = replacement ?? joined(tag, lengthOf(content.length), content);
  return joined(...Array.from({ length: times }, () => whole));
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

const VALUES = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  '',
  '\0',
  '\u202e',
  '\ud800',
  '__proto__',
  'constructor',
  [],
  {},
  [[[[[[]]]]]],
  'A'.repeat(5_000),
  '٣',
  ' ',
] as const;

/** A JSON value with one of its members replaced, dropped or renamed, at any depth. */
export function mutateJson(value: unknown, below: Below): unknown {
  if (Array.isArray(value) && value.length > 0 && below(3) > 0) {
    const at = below(value.length);
    const changed: unknown[] = [...value];
    if (below(6) === 0) changed.push(...Array.from({ length: below(50) }, () => value[at]));
    else changed[at] = mutateJson(value[at], below);
    return changed;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && below(5) > 0) {
    const entries = Object.entries(value);
    if (entries.length > 0) {
      const at = below(entries.length);
      const [name, member] = entries[at]!;
      const kind = below(8);
      if (kind === 0) entries.splice(at, 1);
      else if (kind === 1) entries[at] = [`${name}x`, member];
      else entries[at] = [name, mutateJson(member, below)];
      return Object.fromEntries(entries);
    }
  }
  if (typeof value === 'string' && value.length > 0 && below(2) === 0) {
    const at = below(value.length);
    return value.slice(0, at) + String.fromCharCode(below(0x250)) + value.slice(at + below(3));
  }
  return VALUES[below(VALUES.length)];
}
