import { type KeyObject, sign } from 'node:crypto';
import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { readTlv, type Tlv, tlv, tlvHeader } from '../../shared/codec/tlv.ts';

/** An element of DER that can be changed and written in forms that DER does not allow. */
interface Node {
  tag: number;
  /** Absent where there are children. */
  value: Bytes;
  children?: Node[];
  length?: 'long' | 'indefinite';
}

/** A whole number below the limit. */
export type Random = (limit: number) => number;

function nodeOf({ tag, constructed, value }: Tlv): Node {
  // an extension's value is an element within an OCTET STRING
  if (!constructed && tag !== 0x04) return { tag, value };
  try {
    return { tag, value, children: nodesOf(value) };
  } catch {
    return { tag, value };
  }
}

function nodesOf(octets: Bytes): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < octets.length; ) {
    const element = readTlv(octets, at);
    nodes.push(nodeOf(element));
    at += element.raw.length;
  }
  return nodes;
}

function encode({ tag, value, children, length }: Node): Bytes {
  const content = children === undefined ? value : concat(...children.map(encode));
  if (length === 'indefinite') return concat(Buffer.of(tag, 0x80), content, Buffer.of(0, 0));
  if (length === 'long')
    return concat(Buffer.of(tag, 0x83, 0), tlvHeader(0, content.length + 0x10000).subarray(-2), content);
  return tlv(tag, content);
}

const copied = (node: Node): Node => ({
  ...node,
  ...(node.children && { children: node.children.map(copied) }),
});

/** Every element within, with the one that holds it. */
function* within(parent: Node): Generator<{ node: Node; parent: Node }> {
  for (const node of parent.children ?? []) {
    yield { node, parent };
    yield* within(node);
  }
}

const STRINGS = [0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a, 0x1c, 0x1e];
const octets = (random: Random, count: number) =>
  Buffer.from(Array.from({ length: count }, () => random(256)));
const primitive = (node: Node) => node.children === undefined;
const isTime = ({ tag }: Node) => tag === 0x17 || tag === 0x18;
const ascii = (text: string) => Buffer.from(text, 'ascii');

interface Mutation {
  readonly name: string;
  /** Which elements it is for. */
  fits(node: Node): boolean;
  change(node: Node, parent: Node, random: Random): void;
}

/** What other tools, older ones and careless ones, write otherwise; and what nobody should. */
const MUTATIONS: readonly Mutation[] = [
  {
    name: 'another type of string',
    fits: ({ tag }) => STRINGS.includes(tag),
    change: (node, _, random) => {
      node.tag = STRINGS[random(STRINGS.length)]!;
    },
  },
  {
    name: 'another value of a string',
    fits: ({ tag }) => STRINGS.includes(tag),
    change: (node, _, random) => {
      node.value = octets(random, random(40));
    },
  },
  {
    name: 'TRUE or FALSE as any octet',
    fits: ({ tag }) => tag === 0x01,
    change: (node, _, random) => {
      node.value = octets(random, 1);
    },
  },
  {
    name: 'FALSE written out',
    fits: ({ tag, children }) => tag === 0x30 && children?.[0]?.tag === 0x06,
    change: (node) => void node.children!.splice(1, 0, { tag: 0x01, value: Buffer.of(0) }),
  },
  {
    name: 'a number with octets that it does not need',
    fits: ({ tag }) => tag === 0x02,
    change: (node, _, random) => {
      node.value = concat(Buffer.alloc(1 + random(3)), node.value);
    },
  },
  {
    name: 'another number',
    fits: ({ tag }) => tag === 0x02,
    change: (node, _, random) => {
      node.value = octets(random, 1 + random(24));
    },
  },
  {
    name: 'bits with trailing zeros',
    fits: ({ tag, value }) => tag === 0x03 && value.length < 8,
    change: (node) => {
      node.value = concat(Buffer.of(0), node.value.subarray(1), Buffer.of(0));
    },
  },
  {
    name: 'bits with unused ones',
    fits: ({ tag }) => tag === 0x03,
    change: (node, _, random) => {
      node.value = concat(Buffer.of(random(10)), node.value.subarray(1));
    },
  },
  {
    name: 'a length in its long form',
    fits: () => true,
    change: (node) => {
      node.length = 'long';
    },
  },
  {
    name: 'a length that is indefinite',
    fits: (node) => !primitive(node) && node.tag !== 0x04,
    change: (node) => {
      node.length = 'indefinite';
    },
  },
  {
    name: 'an element twice',
    fits: () => true,
    change: (node, parent) => void parent.children!.push(copied(node)),
  },
  {
    name: 'an element left out',
    fits: () => true,
    change: (node, parent) => void parent.children!.splice(parent.children!.indexOf(node), 1),
  },
  {
    name: 'another order',
    fits: ({ children }) => (children?.length ?? 0) > 1,
    change: (node) => void node.children!.reverse(),
  },
  {
    name: 'an element more',
    fits: (node) => !primitive(node),
    change(node, _, random) {
      const tag = [0x05, 0x0c, 0x30, 0x80, 0x81, 0xa0, 0xa3][random(7)]!;
      node.children!.splice(random(node.children!.length + 1), 0, { tag, value: Buffer.alloc(0) });
    },
  },
  {
    name: 'no content',
    fits: () => true,
    change(node) {
      delete node.children;
      node.value = Buffer.alloc(0);
    },
  },
  {
    name: 'another octet',
    fits: (node) => primitive(node) && node.value.length > 0,
    change(node, _, random) {
      node.value = Buffer.from(node.value);
      node.value[random(node.value.length)] = random(256);
    },
  },
  {
    name: 'another tag',
    fits: primitive,
    change: (node, _, random) => {
      node.tag = [0x02, 0x03, 0x04, 0x05, 0x06, 0x80, 0x82, 0x86, 0x88][random(9)]!;
    },
  },
  {
    name: 'an extension of another identifier',
    fits: ({ tag }) => tag === 0x06,
    change: (node, _, random) => {
      node.value = concat(Buffer.of(0x55, 0x1d), octets(random, 1));
    },
  },
  {
    name: 'another form of time',
    fits: isTime,
    change(node, _, random) {
      const forms: [tag: number, text: string][] = [
        [0x17, '2001010000Z'],
        [0x17, '200101000000+0100'],
        [0x18, '20200101000000Z'],
        [0x18, '20200101000000.5Z'],
        [0x18, '20200101000000+0000'],
        [0x18, '99991231235959Z'],
        [0x17, '491231235959Z'],
        [0x17, '500101000000Z'],
        [0x18, '20200230000000Z'],
      ];
      const [tag, text] = forms[random(forms.length)]!;
      node.tag = tag;
      node.value = ascii(text);
    },
  },
  {
    name: 'the public key in another form of its point',
    fits: ({ tag, value }) => tag === 0x03 && value.length === 66,
    change(node, _, random) {
      const [form, ...rest] =
        [2, 3, 6, 7][random(4)] === 2
          ? [2, ...node.value.subarray(2, 34)]
          : [6 + (node.value.at(-1)! & 1), ...node.value.subarray(2)];
      node.value = Buffer.of(0, form!, ...rest);
    },
  },
  {
    name: 'an octet within an extension',
    fits: ({ tag, children }) => tag === 0x04 && children !== undefined,
    change(node, _, random) {
      const octets = Buffer.concat(node.children!.map(encode));
      octets[random(octets.length)] = random(256);
      delete node.children;
      node.value = octets;
    },
  },
  {
    name: 'an extension that ends too early',
    fits: ({ tag, children }) => tag === 0x04 && children !== undefined,
    change(node, _, random) {
      const octets = Buffer.concat(node.children!.map(encode));
      delete node.children;
      node.value = octets.subarray(0, random(octets.length));
    },
  },
  {
    name: 'NULL as parameters',
    fits: ({ tag, children }) => tag === 0x30 && children?.length === 1 && children[0]?.tag === 0x06,
    change: (node) => void node.children!.push({ tag: 0x05, value: Buffer.alloc(0) }),
  },
  {
    name: 'unique identifiers',
    fits: ({ tag }) => tag === 0xa3,
    change(node, parent) {
      parent.children!.splice(parent.children!.indexOf(node), 0, { tag: 0x81, value: Buffer.of(0, 1) });
    },
  },
];

export const MUTATION_NAMES = MUTATIONS.map(({ name }) => name);

export interface Mutated {
  readonly der: Bytes;
  /** What was changed, for a message. */
  readonly changes: readonly string[];
}

/** The certificate with this one change, where it has a place for it. */
export function mutatedBy(name: string, der: Bytes, issuerKey: KeyObject, random: Random): Mutated {
  const mutation = MUTATIONS.find((one) => one.name === name);
  if (mutation === undefined) throw new RangeError(`no mutation is called ${name}`);
  return changed(der, issuerKey, [mutation], random);
}

/** A certificate with one to three changes within what is signed, or in how it is signed, and a signature that fits. */
export function mutated(der: Bytes, issuerKey: KeyObject, random: Random): Mutated {
  const mutations = Array.from({ length: 1 + random(3) }, () => MUTATIONS[random(MUTATIONS.length)]!);
  return changed(der, issuerKey, mutations, random);
}

function changed(der: Bytes, issuerKey: KeyObject, mutations: readonly Mutation[], random: Random): Mutated {
  const certificate = nodeOf(readTlv(der));
  const [tbs, algorithm] = certificate.children!;
  const changes: string[] = [];
  for (const mutation of mutations) {
    const fitting = [...within({ tag: 0x30, value: der, children: [tbs!, algorithm!] })].filter(
      ({ node }) => node !== tbs && node !== algorithm && mutation.fits(node),
    );
    if (fitting.length === 0) continue;
    const { node, parent } = fitting[random(fitting.length)]!;
    mutation.change(node, parent, random);
    changes.push(`${mutation.name} (${node.tag.toString(16)})`);
  }
  const signed = encode(tbs!);
  const signature = sign('sha256', signed, issuerKey);
  const whole = tlv(0x30, signed, encode(algorithm!), tlv(0x03, Buffer.of(0), signature));
  return { der: whole, changes };
}
