import type { Bytes } from '../../shared/codec/bytes.ts';
import { eidWithCheckDigits } from '../../shared/codec/eid.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import type { CurveName } from '../../shared/crypto/curves.ts';
import type { Variant } from '../../shared/pki/chain.ts';
import {
  type CertificateSpec,
  type CrlSpec,
  certificate,
  crl,
  derSignature,
  ECDSA_SHA256,
  type ExtensionName,
  type ExtensionSpec,
  ext,
  generateKey,
  integer,
  keyId,
  name,
  type SigningKey,
  time,
} from './builder.ts';

/** A whole GSMA test PKI in one of the five variants, in which each certificate and list can be broken by itself. */

export const AT_MS = Date.UTC(2026, 5, 1);
const YEAR = 365 * 24 * 3600 * 1000;
export const IIN = '89049032';
export const EID = eidWithCheckDigits('890490321234512345123456789012');
export const SMDP_OID = '2.999.10';
export const EUM_NAME = 'RSP Test EUM';

export const NODES = ['ci', 'ciSubCa', 'eum', 'eumSubCa', 'euicc', 'dpSubCa', 'dpPb'] as const;
export type Node = (typeof NODES)[number];

/** Role identifiers written out once more, apart from the server's table. */
const V2: Partial<Record<Node, string>> = { ci: '0', eum: '2', euicc: '1', dpPb: '5' };
const V3: Record<Node, string> = {
  ci: '0',
  ciSubCa: '0.0',
  eum: '0.0.0',
  eumSubCa: '0.0.0.0',
  euicc: '0.0.0.0.0',
  dpSubCa: '0.0.1',
  dpPb: '0.0.1.2',
};
export const policyOf = (node: Node, column: 'v2' | 'v3'): string =>
  `2.23.146.1.2.1.${(column === 'v2' ? V2 : V3)[node]}`;

const CHAINS: Record<Variant, { euicc: Node[]; dp: Node[] }> = {
  O: { euicc: ['euicc', 'eum', 'ci'], dp: ['dpPb', 'ci'] },
  Ov3: { euicc: ['euicc', 'eum', 'ci'], dp: ['dpPb', 'ci'] },
  A: { euicc: ['euicc', 'eumSubCa', 'eum', 'ci'], dp: ['dpPb', 'dpSubCa', 'ci'] },
  B: { euicc: ['euicc', 'eum', 'ciSubCa', 'ci'], dp: ['dpPb', 'ciSubCa', 'ci'] },
  C: { euicc: ['euicc', 'eumSubCa', 'eum', 'ciSubCa', 'ci'], dp: ['dpPb', 'dpSubCa', 'ciSubCa', 'ci'] },
};

export type CertificateEdit = (spec: CertificateSpec, pki: Hierarchy) => void;
export type CrlEdit = (spec: CrlSpec, pki: Hierarchy) => void;

export interface HierarchyOptions {
  readonly variant?: Variant;
  readonly suite?: CurveName;
  readonly edit?: Partial<Record<Node, CertificateEdit>>;
  /** Changes the list of an issuer; null leaves it out. */
  readonly crl?: Partial<Record<Node, CrlEdit | null>>;
  /** Roles in an order of their own, from leaf to CI. */
  readonly order?: { euicc?: Node[]; dp?: Node[] };
}

export interface Hierarchy {
  readonly variant: Variant;
  readonly suite: CurveName;
  readonly keys: Record<Node, SigningKey>;
  readonly subjects: Record<Node, Bytes>;
  readonly serials: Record<Node, Bytes>;
  readonly certificates: Partial<Record<Node, Bytes>>;
  /** The CA certificates before their edit, so that a broken one does not hide behind its own list. */
  readonly unbroken: Partial<Record<Node, Bytes>>;
  /** DER lists with the node that issued each. */
  readonly crls: { issuer: Node; der: Bytes }[];
  readonly chains: { euicc: Node[]; dp: Node[] };
}

export const cdpUri = (issuer: Node): string => `http://ci.test.example.com/CRL-${issuer}.crl`;

export function buildHierarchy(options: HierarchyOptions = {}): Hierarchy {
  const variant = options.variant ?? 'O';
  const suite = options.suite ?? 'p256';
  const chains = { ...CHAINS[variant], ...options.order };
  const keys = {} as Record<Node, SigningKey>;
  const subjects = {} as Record<Node, Bytes>;
  const serials = {} as Record<Node, Bytes>;
  for (const [index, node] of NODES.entries()) {
    keys[node] = generateKey(suite);
    serials[node] = integer(0x100 + index);
    subjects[node] = name({ O: `Test ${node}`, CN: node });
  }
  subjects.eum = name({ C: 'ES', O: EUM_NAME, CN: 'EUM Test' });
  subjects.euicc = name({ C: 'ES', O: EUM_NAME, serialNumber: EID, CN: 'Test eUICC' });
  const pki: Hierarchy = {
    variant,
    suite,
    keys,
    subjects,
    serials,
    certificates: {},
    unbroken: {},
    crls: [],
    chains,
  };
  for (const chain of [chains.euicc, chains.dp])
    for (const [index, node] of chain.entries()) {
      if (pki.certificates[node] !== undefined) continue;
      const spec = certificateSpec(pki, node, chain[index + 1] ?? node);
      pki.unbroken[node] = certificate(spec);
      options.edit?.[node]?.(spec, pki);
      pki.certificates[node] = certificate(spec);
    }
  for (const issuer of new Set([...chains.euicc, ...chains.dp])) {
    if (issuer === 'euicc' || issuer === 'dpPb' || (variant === 'O' && issuer === 'eum')) continue;
    const edit = options.crl?.[issuer];
    if (edit === null) continue;
    const spec = crlSpec(pki, issuer);
    edit?.(spec, pki);
    pki.crls.push({ issuer, der: crl(spec) });
  }
  return pki;
}

function certificateSpec(pki: Hierarchy, node: Node, issuer: Node): CertificateSpec {
  const column = pki.variant === 'O' ? 'v2' : 'v3';
  const key = pki.keys[node];
  const isLeaf = node === 'euicc' || node === 'dpPb';
  const extensions = new Map<ExtensionName, ExtensionSpec>();
  if (issuer !== node) extensions.set('aki', ext.aki(keyId(pki.keys[issuer].point)));
  extensions.set('ski', ext.ski(keyId(key.point)));
  const caUsage = node === 'eum' && column === 'v2' ? 0x04 : 0x06;
  extensions.set('keyUsage', ext.keyUsage(isLeaf ? 0x80 : caUsage));
  extensions.set('policies', ext.policies(policyOf(node, column)));
  if (!isLeaf) extensions.set('ca', ext.ca(pathLenOf(pki, node)));
  if (node === 'dpPb') extensions.set('registeredId', ext.registeredId(SMDP_OID));
  if (node === 'eum') extensions.set('registeredId', ext.registeredId('2.999.5'));
  if (node === 'eum' && column === 'v2')
    extensions.set('nameConstraints', ext.nameConstraints({ O: EUM_NAME, serialNumber: IIN }));
  if (node === 'eum' && column === 'v3') extensions.set('permittedEins', ext.permittedEins('35', IIN));
  if (node !== 'euicc' && node !== 'ci') extensions.set('cdp', ext.cdp(cdpUri(issuer)));
  return {
    version: tlv(0xa0, integer(2)),
    serial: pki.serials[node],
    innerAlgorithm: ECDSA_SHA256,
    outerAlgorithm: ECDSA_SHA256,
    issuer: pki.subjects[issuer],
    subject: pki.subjects[node],
    notBefore: time(Date.UTC(2020, 3, 1)),
    notAfter: time(node === 'euicc' ? Date.UTC(7496, 0, 24) : AT_MS + 10 * YEAR),
    spki: key.spki,
    extensions,
    sign: (tbs) => derSignature(pki.keys[issuer].sign(tbs)),
    trailing: Buffer.alloc(0),
  };
}

/** The tightest pathLenConstraint that the variant allows; the CI sets none. */
function pathLenOf(pki: Hierarchy, node: Node): number | undefined {
  if (node === 'ci') return undefined;
  const below = [pki.chains.euicc, pki.chains.dp].map((chain) => chain.indexOf(node) - 1);
  return Math.max(...below, 0);
}

function crlSpec(pki: Hierarchy, issuer: Node): CrlSpec {
  return {
    version: integer(1),
    algorithm: ECDSA_SHA256,
    issuer: pki.subjects[issuer],
    thisUpdate: time(AT_MS - YEAR),
    nextUpdate: time(AT_MS + 2 * YEAR),
    entries: [],
    number: integer(2024),
    authority: keyId(pki.keys[issuer].point),
    scope: undefined,
    extensions: [],
    sign: (tbs) => derSignature(pki.keys[issuer].sign(tbs)),
  };
}
