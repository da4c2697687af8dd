import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Conformity } from '../../conform/conformity.ts';
import { checkPagedAnswer, type PagedAnswer } from '../../conform/server/pages.ts';
import { SERVER_RULES } from '../../conform/server/rules.ts';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import type { Part } from '../../shared/ifpp-draft1/batch-manifest.ts';
import { encodeBppItem } from '../../shared/ifpp-draft1/bpp-batch.ts';
import { inclusionProof, leafHash, treeRoot } from '../../shared/ifpp-draft1/hash-tree.ts';
import { encodeManifestPage, manifestPageContent } from '../../shared/ifpp-draft1/manifest-page.ts';
import { encodeManifestRoot, manifestRootTbs } from '../../shared/ifpp-draft1/manifest-root.ts';
import { decodeSpki } from '../../sim/curve.ts';

/** Pages of one part each, a part of one item: what a server answers that shares nothing with ours but the interface. */
const PAGES = 5;
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const deliveryKey = decodeSpki(keys.publicKey.export({ format: 'der', type: 'spki' }));

const eidOf = (item: number) => `8904903212345123451234567890${String(1000 + item)}`;

function made(requestId: string) {
  const octets = new Map<string, Bytes>();
  const contents: Bytes[] = [];
  for (let page = 0; page < PAGES; page++) {
    const failed = { kind: 'failed', subjectCode: '8.1.1', reasonCode: '3.9', message: '' } as const;
    const item = encodeBppItem({ itemId: page, eid: eidOf(page), outcome: failed });
    const part: Part = {
      name: `parts/${requestId}/${page}`,
      size: item.length,
      sha256: createHash('sha256').update(item).digest(),
      index: [],
    };
    octets.set(part.name, item);
    contents.push(manifestPageContent({ requestId, page, firstPart: page, parts: [part] }));
  }
  const leaves = contents.map((content) => leafHash(content));
  const tbs = manifestRootTbs({
    requestId,
    chains: [],
    items: PAGES,
    parts: PAGES,
    pages: PAGES,
    root: treeRoot(leaves),
  });
  const signature = sign('sha256', tbs, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  const pages = contents.map((content, i) => encodeManifestPage(content, inclusionProof(leaves, i)));
  return { tbs, root: encodeManifestRoot(tbs, signature), contents, leaves, pages, octets };
}

const REQUEST = 'aa'.repeat(8);
const right = made(REQUEST);
const other = made('bb'.repeat(8));

async function judged(change: Partial<PagedAnswer> = {}) {
  const conformity = new Conformity(SERVER_RULES);
  const items = Array.from({ length: PAGES }, (_, itemId) => ({ itemId, eid: eidOf(itemId) }));
  await checkPagedAnswer(conformity, {
    request: { requestId: Buffer.from(REQUEST, 'hex'), orderId: 'ORDER', items },
    root: right.root,
    deliveryKeys: [deliveryKey],
    page: async (place) => right.pages[place]!,
    part: async (name) => right.octets.get(name)!,
    ...change,
  });
  const of = (result: string) =>
    conformity.checks.filter((check) => check.result === result).map(({ id }) => id);
  return { passed: of('passed'), failed: of('failed') };
}

/** Answers another page in the place of the third one. */
const third = (der: Bytes): Partial<PagedAnswer> => ({
  page: async (place) => (place === 2 ? der : right.pages[place]!),
});

const flipped = (octets: Bytes, at: number): Bytes => {
  const copy = Uint8Array.from(octets);
  copy[at]! ^= 1;
  return copy;
};

let asked = 0;

const FAULTS: readonly (readonly [what: string, rule: string, change: Partial<PagedAnswer>])[] = [
  [
    'the root has a signature of nobody',
    'server.pages.root',
    { root: encodeManifestRoot(right.tbs, new Uint8Array(64)) },
  ],
  ['the root is of another request', 'server.pages.root', { root: other.root }],
  ['the root is cut', 'server.pages.root', { root: right.root.subarray(0, -1) }],
  ['a page has the number of another', 'server.pages.proof', third(right.pages[3]!)],
  [
    'a page has the proof of another branch',
    'server.pages.proof',
    third(encodeManifestPage(right.contents[2]!, inclusionProof(right.leaves, 4))),
  ],
  ['a page is that of another tree', 'server.pages.proof', third(other.pages[2]!)],
  [
    'a page of another tree has a proof of this one',
    'server.pages.proof',
    third(encodeManifestPage(other.contents[2]!, inclusionProof(right.leaves, 2))),
  ],
  ['a page is cut', 'server.pages.proof', third(right.pages[2]!.subarray(0, -1))],
  [
    'a page has a proof too short',
    'server.pages.proof',
    third(encodeManifestPage(right.contents[2]!, inclusionProof(right.leaves, 2).slice(1))),
  ],
  ['a page has an octet changed', 'server.pages.proof', third(flipped(right.pages[2]!, 30))],
  ['a page does not come', 'server.pages.proof', third(new Uint8Array())],
  [
    'a part has other octets',
    'server.pages.parts',
    { part: async (name) => flipped(right.octets.get(name)!, 3) },
  ],
  [
    'a page that is asked for again has other octets',
    'server.pages.repeat',
    { page: async (place) => (asked++ < PAGES ? right.pages[place]! : right.pages[1]!) },
  ],
];

describe('the pages of a large answer, as smdpf conform server holds them against the root', () => {
  it('are right, and asked for in their order', async () => {
    const places: number[] = [];
    const page = async (place: number) => {
      places.push(place);
      return right.pages[place]!;
    };
    expect(await judged({ page })).toEqual({
      passed: ['server.pages.root', 'server.pages.proof', 'server.pages.parts', 'server.pages.repeat'],
      failed: [],
    });
    expect(places).toEqual([0, 1, 2, 3, 4, 0, 4]);
    expect(toHex(right.root)).not.toBe(toHex(other.root));
  });

  it.each(FAULTS)('%s: %s has failed', async (_what, rule, change) => {
    expect((await judged(change)).failed).toEqual([rule]);
  });
});
