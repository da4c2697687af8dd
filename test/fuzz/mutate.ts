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
  const mine = elementsOf(octets);
  if (mine.length === 0) return overwritten(octets, other, below);
  const chosen = mine[below(mine.length)]!;
  const theirs = elementsOf(other);
  const kind = below(theirs.length === 0 ? 3 : 4);
  const whole = octets.subarray(chosen.from, chosen.to);
  if (kind === 0) return withElement(octets, chosen, NOTHING);
  if (kind === 1)
    return withElement(octets, chosen, joined(...Array.from({ length: 2 + below(3) }, () => whole)));
  if (kind === 2) {
    const tag = Uint8Array.of(ODD[below(ODD.length)]!);
    return withElement(octets, chosen, joined(tag, octets.subarray(chosen.tagEnd, chosen.to)));
  }
  const { from, to } = theirs[below(theirs.length)]!;
  return withElement(octets, chosen, other.subarray(from, to));
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

/** Where an element lies in its octets, and which one it is in. */
interface Element {
  readonly from: number;
  readonly tagEnd: number;
  readonly valueFrom: number;
  readonly to: number;
  readonly parent: Element | undefined;
}

const DEPTH = 12;
const NOTHING = new Uint8Array(0);
/** Of seeds, which are read again and again. */
const known = new WeakMap<Uint8Array, readonly Element[]>();

/** All elements at any depth, as far as the octets are such; a reader of its own, so that it passes what ours refuses. */
function elementsOf(octets: Uint8Array): readonly Element[] {
  const before = known.get(octets);
  if (before !== undefined) return before;
  const elements: Element[] = [];
  collect(octets, 0, octets.length, undefined, 0, elements);
  known.set(octets, elements);
  return elements;
}

/** Adds the elements of a stretch; none of them where it does not consist of elements. */
function collect(
  octets: Uint8Array,
  from: number,
  to: number,
  parent: Element | undefined,
  depth: number,
  elements: Element[],
): void {
  const before = elements.length;
  for (let at = from; at < to; ) {
    let end = at + 1;
    if ((octets[at]! & 0x1f) === 0x1f) {
      while (end < to && (octets[end]! & 0x80) !== 0) end += 1;
      end += 1;
    }
    const tagEnd = end;
    const initial = end < to ? octets[end++]! : Number.NaN;
    let length = initial;
    if (initial > 0x80) {
      length = 0;
      for (let left = initial & 0x7f; left > 0; left--) length = length * 256 + (octets[end++] ?? 0);
    }
    if (!(end + length <= to)) {
      elements.length = before;
      return;
    }
    const element = { from: at, tagEnd, valueFrom: end, to: end + length, parent };
    elements.push(element);
    if ((octets[at]! & 0x20) !== 0 && depth < DEPTH)
      collect(octets, end, end + length, element, depth + 1, elements);
    at = end + length;
  }
}

/** The octets with another content in the place of an element, and with the lengths of all that it is in. */
function withElement(octets: Uint8Array, { from, to, parent }: Element, content: Uint8Array): Uint8Array {
  if (parent === undefined) return joined(octets.subarray(0, from), content, octets.subarray(to));
  const before = octets.subarray(parent.valueFrom, from);
  const after = octets.subarray(to, parent.to);
  const length = lengthOf(before.length + content.length + after.length);
  const tag = octets.subarray(parent.from, parent.tagEnd);
  return withElement(octets, parent, joined(tag, length, before, content, after));
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
