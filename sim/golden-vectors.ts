import { createHash } from 'node:crypto';
import { type Bytes, concat, fromHex, toHex } from '../shared/codec/bytes.ts';
import given from '../shared/ifpp-draft1/vectors/given.json' with { type: 'json' };
import { parseCertificate, subjectKeyIdentifier } from './certificate.ts';
import { encodeEid, encodeInteger } from './coding.ts';
import { CURVES, type EcKey, keyOf, signDeterministic } from './curve.ts';
import { signInstallationResult } from './euicc/results.ts';
import {
  encodeBppBatch,
  encodeBppRequest,
  encodeEuiccDataBatch,
  encodeLoadPackage,
  encodeOneTimeKeyTbs,
  encodeProfileLoadingReport,
} from './ifpp-draft1.ts';
import { Fields, readAll, readTlv, tlv } from './tlv.ts';

// The golden vectors of ifpp-draft1: each type with fixed keys, and each octet string that is signed. Signatures have the k
// of RFC 6979, so that whoever implements it gets the same octets.

export interface SignedOctets {
  /** Where the signature stands. */
  readonly field: string;
  /** The key of given.json that signs. */
  readonly key: string;
  readonly toBeSigned: string;
  readonly sha256: string;
  /** Raw r || s. */
  readonly signature: string;
}

export interface GoldenVector {
  readonly type: string;
  readonly tag: string;
  readonly comment: string;
  readonly signed: readonly SignedOctets[];
  readonly hex: string;
}

export type KeyName = keyof typeof given.keys;

export const keyNamed = (name: KeyName): EcKey => keyOf('p256', fromHex(given.keys[name].scalar));

const ID = { batch: '0b01', request: '0c01', report: '0d01' } as const;
const MAKER = '2.999.50';
const ORDER = 'ORD-1';
const AT = new Date('2026-07-01T12:00:00Z');
const PART = 'parts/0c01/0';

const sha256 = (octets: Bytes): Bytes => createHash('sha256').update(octets).digest();
const octets = (hex: string): Bytes => fromHex(hex);
const certificate = (name: keyof typeof given.certificates): Bytes => octets(given.certificates[name]);

function signed(field: string, key: KeyName, toBeSigned: Bytes): SignedOctets & { readonly raw: Bytes } {
  const raw = signDeterministic(keyNamed(key), toBeSigned);
  const signature = toHex(raw);
  return { field, key, toBeSigned: toHex(toBeSigned), sha256: toHex(sha256(toBeSigned)), signature, raw };
}

const told = ({ raw: _, ...shown }: ReturnType<typeof signed>): SignedOctets => shown;

/** One-time keys: eUICC 1 has two, eUICC 2 has one. */
const ONE_TIME_KEYS = [
  { euicc: 0, keyId: '01', key: 'one-time key 1', signer: 'eUICC 1' },
  { euicc: 0, keyId: '02', key: 'one-time key 2', signer: 'eUICC 1' },
  { euicc: 1, keyId: '01', key: 'one-time key 3', signer: 'eUICC 2' },
] as const;

function proofs() {
  const hash = sha256(octets(given.euiccInfo2));
  return ONE_TIME_KEYS.map(({ euicc, keyId, key, signer }) => {
    const otPk = octets(given.keys[key].point);
    const tbs = encodeOneTimeKeyTbs(given.eids[euicc]!, octets(keyId), otPk, hash);
    const proof = signed(`proof of key ${keyId} of EID ${given.eids[euicc]}`, signer, tbs);
    return { euicc, keyId: octets(keyId), otPk, tbs, proof };
  });
}

function ff60(): GoldenVector {
  const all = proofs();
  const entries = given.eids.map((eid, at) => ({
    eid,
    euiccCert: certificate(at === 0 ? 'eUICC 1' : 'eUICC 2'),
    oneTimeKeys: all
      .filter(({ euicc }) => euicc === at)
      .map(({ keyId, otPk, proof }) => ({ keyId, otPk, proof: proof.raw })),
  }));
  const batch = {
    batchId: octets(ID.batch),
    ciPkId: subjectKeyIdentifier(parseCertificate(certificate('CI'))),
    curve: CURVES.p256.oid,
    eumChain: [certificate('EUM')],
    euiccInfo2: octets(given.euiccInfo2),
    entries,
    deviceManufacturers: [MAKER],
  };
  let signature: ReturnType<typeof signed> | undefined;
  const der = encodeEuiccDataBatch(batch, (fields) => {
    signature = signed('eumDataSignature', 'EUM data key', fields);
    return signature.raw;
  });
  return {
    type: 'EuiccDataBatch',
    tag: 'FF60',
    comment:
      'Two eUICCs, of two one-time keys and of one, under one EUM. eumDataSignature is over the encoded fields 0 to 7 without FF60 and its length.',
    signed: [...all.map(({ proof }) => told(proof)), ...(signature === undefined ? [] : [told(signature)])],
    hex: toHex(der),
  };
}

function ff61(): GoldenVector {
  const items = [
    { itemId: 1, eid: given.eids[0]!, keyId: octets('01'), iccid: given.iccid },
    { itemId: 2, eid: given.eids[1]! },
    { itemId: 3, eid: given.eids[0]!, additional: true },
  ];
  return {
    type: 'BppRequest',
    tag: 'FF61',
    comment:
      'Three items: a certain key and ICCID, whatever is free, and a further profile for the first EID.',
    signed: [],
    hex: toHex(encodeBppRequest({ requestId: octets(ID.request), orderId: ORDER, items })),
  };
}

const chain = () => ({
  ciPkId: subjectKeyIdentifier(parseCertificate(certificate('CI'))),
  certificates: [certificate('DPpb')],
});

function bppBatch(): Bytes {
  const bound = {
    transactionId: octets(given.transactionId),
    keyId: octets('01'),
    iccid: given.iccid,
    chain: 0,
    bpp: octets(given.bpp),
  };
  const failed = { subjectCode: '8.1', reasonCode: '3.7', message: 'no unused one-time key left' };
  return encodeBppBatch({
    requestId: octets(ID.request),
    chains: [chain()],
    items: [
      { itemId: 1, eid: given.eids[0]!, bound },
      { itemId: 2, eid: given.eids[1]!, failed },
    ],
  });
}

const ff62 = (): GoldenVector => ({
  type: 'BppBatch',
  tag: 'FF62',
  comment:
    'One item bound and one failed. The BPP is bound for one-time key 1 of eUICC 1, and installs in it.',
  signed: [],
  hex: toHex(bppBatch()),
});

function ff63(): GoldenVector {
  const result = signInstallationResult(
    {
      transactionId: octets(given.transactionId),
      notification: { seqNumber: 1, event: 'install', address: 'smdpf.example.com', iccid: given.iccid },
      smdpOid: '2.999.10',
      finalResult: { isdpAid: octets('a0000005591010ffffffff8900001000') },
    },
    keyNamed('eUICC 1'),
  );
  const data = new Fields(readTlv(result).value).take(0xbf27).raw;
  const signature = signed('euiccSignPIR of item 0', 'eUICC 1', data);
  const euiccResult = tlv(0xbf37, data, tlv(0x5f37, signature.raw));
  const transactionId = concat(octets(given.transactionId).subarray(0, 12), Uint8Array.of(0, 0, 0, 1));
  const fpaError = {
    transactionId,
    eid: given.eids[1]!,
    cause: 'badStatusWord',
    statusWord: octets('6a80'),
    detail: 'at segment 3',
    at: AT,
  } as const;
  const items = [{ euiccResult, at: AT }, { fpaError }];
  return {
    type: 'ProfileLoadingReport',
    tag: 'FF63',
    comment:
      'A result that its eUICC has signed, over the whole BF27, and an error that the FPA tells unsigned.',
    signed: [told(signature)],
    hex: toHex(encodeProfileLoadingReport({ reportId: octets(ID.report), items })),
  };
}

function ff64(): GoldenVector {
  const [first] = proofs();
  return {
    type: 'OneTimeKeyTbs',
    tag: 'FF64',
    comment: 'What the eUICC signs as proof of key 01 of eUICC 1. It is never sent; both sides build it.',
    signed: [told(first!.proof)],
    hex: toHex(first!.tbs),
  };
}

function ff65(): GoldenVector {
  const items = readAll(readTlv(bppBatch()).value).find(({ tag }) => tag === 0xa3)!.value;
  const [first] = readAll(items);
  const entry = tlv(
    0x30,
    tlv(0x80, encodeEid(given.eids[0]!)),
    tlv(0x81, octets(given.transactionId)),
    tlv(0x82, encodeInteger(0)),
    tlv(0x83, encodeInteger(first!.raw.length)),
  );
  const part = tlv(
    0x30,
    tlv(0x80, Buffer.from(PART, 'utf8')),
    tlv(0x81, encodeInteger(items.length)),
    tlv(0x82, sha256(items)),
    tlv(0xa3, entry),
  );
  const fields = readAll(readTlv(bppBatch()).value);
  const head = fields.filter(({ tag }) => tag !== 0xa3).map(({ raw }) => raw);
  const tbs = concat(...head, tlv(0xa3, part));
  const signature = signed('signature', 'delivery key', tbs);
  return {
    type: 'BatchManifest',
    tag: 'FF65',
    comment:
      'The items of FF62 as one part, which is nothing but its BppItem elements; the failed one is in the part and not in the index. The signature is over the encoded fields 0 to 3 without FF65 and its length.',
    signed: [told(signature)],
    hex: toHex(tlv(0xff65, tbs, tlv(0x84, signature.raw))),
  };
}

/** The part of FF65, and as many more pages as make each kind of node: three leaves, of which the last one stands alone. */
function pages() {
  const part = readAll(readTlv(fromHex(ff65().hex)).value).find(({ tag }) => tag === 0xa3)!;
  const contents = [0, 1, 2].map((page) =>
    concat(
      tlv(0x80, Uint8Array.of(1)),
      tlv(0x81, octets(ID.request)),
      tlv(0x82, encodeInteger(page)),
      tlv(0x83, encodeInteger(page)),
      tlv(0xa4, part.value),
    ),
  );
  const leaves = contents.map((content) => sha256(concat(Uint8Array.of(0), content)));
  const node = (left: Bytes, right: Bytes) => sha256(concat(Uint8Array.of(1), left, right));
  const below = node(leaves[0]!, leaves[1]!);
  return {
    root: node(below, leaves[2]!),
    page: (place: 0 | 1 | 2): Bytes => {
      const proof = [[leaves[1]!, leaves[2]!], [leaves[0]!, leaves[2]!], [below]][place]!;
      return tlv(0xff68, contents[place]!, tlv(0xa5, ...proof.map((hash) => tlv(0x04, hash))));
    },
  };
}

function ff67(): GoldenVector {
  const fields = readAll(readTlv(bppBatch()).value);
  const head = fields.filter(({ tag }) => tag !== 0xa3).map(({ raw }) => raw);
  const counts = [6, 3, 3].map((count, i) => tlv(0x83 + i, encodeInteger(count)));
  const tbs = concat(...head, ...counts, tlv(0x86, pages().root));
  const signature = signed('signature', 'delivery key', tbs);
  return {
    type: 'ManifestRoot',
    tag: 'FF67',
    comment:
      'Three pages, each with the part of FF65: the root is SHA-256(01 || SHA-256(01 || leaf 0 || leaf 1) || leaf 2), a leaf SHA-256(00 || encoded fields 0 to 4 of its page). The signature is over the encoded fields 0 to 6 without FF67 and its length.',
    signed: [told(signature)],
    hex: toHex(tlv(0xff67, tbs, tlv(0x87, signature.raw))),
  };
}

const ff68 = (): GoldenVector => ({
  type: 'ManifestPage',
  tag: 'FF68',
  comment:
    'Page 1 of FF67. Its proof is leaf 0 and leaf 2; that of page 0 is leaf 1 and leaf 2, that of page 2 the node above the leaves 0 and 1. Page n differs in page and firstPart, both n.',
  signed: [],
  hex: toHex(pages().page(1)),
});

/** All pages of FF67. */
export const goldenPages = (): readonly Bytes[] => ([0, 1, 2] as const).map((place) => pages().page(place));

const ff66 = (): GoldenVector => ({
  type: 'LoadPackage',
  tag: 'FF66',
  comment: 'What goes to the eUICC before the segments of the BPP of FF62.',
  signed: [],
  hex: toHex(
    encodeLoadPackage({ transactionId: octets(given.transactionId), keyId: octets('01'), chain: chain() }),
  ),
});

/** Each type of ifpp-draft1 that has a tag of its own, in the order of their tags. */
export const goldenVectors = (): readonly GoldenVector[] => [
  ff60(),
  ff61(),
  ff62(),
  ff63(),
  ff64(),
  ff65(),
  ff66(),
  ff67(),
  ff68(),
];

/** The name of its file and its content. */
export const goldenFile = (vector: GoldenVector): readonly [name: string, content: string] => [
  `${vector.tag.toLowerCase()}-${vector.type}.json`,
  `${JSON.stringify(vector, null, 2)}\n`,
];
