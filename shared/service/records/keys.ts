import { createHash } from 'node:crypto';
import type { WorkKind } from '../../jobs/dispatcher.ts';
import type { ItemKey } from '../../ledger/ledger.ts';
import type { AssignedRole } from './key.ts';

/**
 * Every name in the ledger, in one place. Partitions are chosen so that no hot partition grows with the work of
 * others: an eUICC, an order, a job and a profile each have their own.
 */

/** Sort keys that order as numbers do. */
export const padded = (n: number) => String(n).padStart(10, '0');

/** Positions of an order in one partition of results or draws. */
export const BLOCK = 1_000;
export const blockOf = (position: number) => Math.floor(position / BLOCK);
export const drawPartition = (orderId: string, block: number) => `draws#${orderId}#${block}`;
export const profilePartition = (orderId: string, block: number) => `profiles#${orderId}#${block}`;

export const PACK_MADE = 'made#';

export const shareReturnedPrefix = (maker: string) => `share-returned#${maker}#`;

/** Stands for a key URI in names. */
export const keyTag = (uri: string) => createHash('sha256').update(uri).digest('hex').slice(0, 24);
/** Public keys of delivery keys, by key ID. */
export const deliveryKeysPartition = 'delivery-keys';
/** Data keys under a wrapping key. */
export const wrappedPartition = (keyUri: string) => `wrapped-under#${keyTag(keyUri)}`;

export const ledgerKeys = {
  /** Whether this ledger may be written to; see standing.ts. */
  standing: { partition: 'ledger', sort: 'standing' } as ItemKey,
  /** The end of the audit log. */
  auditHead: { partition: 'audit', sort: 'head' } as ItemKey,

  party: (fingerprint: string): ItemKey => ({ partition: 'party', sort: fingerprint }),
  /** The calls that a party has left, by its identifier. */
  rate: (party: string): ItemKey => ({ partition: `rate#${party}`, sort: 'head' }),

  trustEpoch: { partition: 'trust', sort: 'epoch' } as ItemKey,
  trust: (kind: 'ci' | 'eum' | 'dppb' | 'crl', name: string): ItemKey => ({
    partition: 'trust',
    sort: `${kind}#${name}`,
  }),

  trustPolicy: { partition: 'trust', sort: 'policy' } as ItemKey,
  knownEumChain: (sha256: string): ItemKey => ({ partition: 'eum-chains', sort: sha256 }),

  keyAssignment: (role: AssignedRole): ItemKey => ({ partition: 'keys', sort: role }),
  deliveryKey: (keyId: string): ItemKey => ({ partition: deliveryKeysPartition, sort: keyId }),
  wrappedUnder: (keyUri: string, name: string): ItemKey => ({
    partition: wrappedPartition(keyUri),
    sort: name,
  }),

  order: (orderId: string): ItemKey => ({ partition: `order#${orderId}`, sort: 'head' }),
  /** Apart from the head, so that chunk commits can lean on it without racing for the supply. */
  orderState: (orderId: string): ItemKey => ({ partition: `order#${orderId}`, sort: 'state' }),
  orderSupply: (orderId: string): ItemKey => ({ partition: `order#${orderId}`, sort: 'supply' }),
  orderPack: (orderId: string, pack: number): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `pack#${padded(pack)}`,
  }),
  /** Comes with a pack's record and holds nothing: what is made can be counted without reading it. */
  orderPackMade: (orderId: string, pack: number): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `${PACK_MADE}${padded(pack)}`,
  }),
  /** Which items drew the positions from `from` on, in pieces that stay within a block. */
  orderDraw: (orderId: string, from: number, jobId: string): ItemKey => ({
    partition: drawPartition(orderId, blockOf(from)),
    sort: `${padded(from)}#${jobId}`,
  }),
  orderReturned: (orderId: string, jobId: string, chunk: number): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `returned#${jobId}#${padded(chunk)}`,
  }),
  /** Positions that a chunk of a maker's job gave back; counted against its share no more. */
  shareReturned: (orderId: string, maker: string, jobId: string, chunk: number): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `${shareReturnedPrefix(maker)}${jobId}#${padded(chunk)}`,
  }),
  orderShare: (orderId: string, maker: string): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `share#${maker}`,
  }),
  /** Packs of one beyond the order's own, made as replacements. */
  orderExtras: (orderId: string): ItemKey => ({ partition: `order#${orderId}`, sort: 'extras' }),
  replacement: (orderId: string, iccid: string): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `replacement#${iccid}`,
  }),
  tie: (orderId: string, eid: string, position: number): ItemKey => ({
    partition: `order#${orderId}`,
    sort: `tie#${eid}#${padded(position)}`,
  }),
  ordersOf: (operator: string, orderId: string): ItemKey => ({
    partition: `orders-of#${operator}`,
    sort: orderId,
  }),

  iccid: (iccid: string): ItemKey => ({ partition: `iccid#${iccid}`, sort: 'owner' }),
  profile: (orderId: string, position: number): ItemKey => ({
    partition: profilePartition(orderId, blockOf(position)),
    sort: padded(position),
  }),

  euicc: (eid: string): ItemKey => ({ partition: `euicc#${eid}`, sort: 'head' }),
  euiccCertificate: (eid: string): ItemKey => ({ partition: `euicc#${eid}`, sort: 'certificate' }),
  eumChain: (sha256: string): ItemKey => ({ partition: `eum-chain#${sha256}`, sort: 'head' }),
  euiccInfo2: (sha256: string): ItemKey => ({ partition: `euicc-info2#${sha256}`, sort: 'head' }),
  /** By the key's identity in its suite; see crypto/suite-type.ts. */
  oneTimeKey: (suite: string, identity: string): ItemKey => ({
    partition: `otpk#${suite}#${identity}`,
    sort: 'owner',
  }),
  /** An EuiccDataBatch of path A, by its name (see euicc-batches.ts); its slices stand beside it. */
  ingest: (id: string): ItemKey => ({ partition: `ingest#${id}`, sort: 'head' }),
  ingestSlice: (id: string, slice: number): ItemKey => ({
    partition: `ingest#${id}`,
    sort: `slice#${padded(slice)}`,
  }),
  ingestProgress: (id: string, slice: number): ItemKey => ({
    partition: `ingest#${id}`,
    sort: `progress#${padded(slice)}`,
  }),
  /** Where eUICC certificates say that their revocation lists are. */
  distributionPoint: (url: string): ItemKey => ({ partition: 'distribution-points', sort: url }),

  job: (jobId: string): ItemKey => ({ partition: `job#${jobId}`, sort: 'head' }),
  jobChains: (jobId: string): ItemKey => ({ partition: `job#${jobId}`, sort: 'chains' }),
  chunk: (jobId: string, chunk: number): ItemKey => ({
    partition: `job#${jobId}`,
    sort: `chunk#${padded(chunk)}`,
  }),
  chunkProgress: (jobId: string, chunk: number): ItemKey => ({
    partition: `job#${jobId}`,
    sort: `progress#${padded(chunk)}`,
  }),
  jobManifest: (jobId: string): ItemKey => ({ partition: `job#${jobId}`, sort: 'manifest' }),
  /** Work that a restart must take up again. */
  openWork: (kind: WorkKind, id: string): ItemKey => ({
    partition: 'open-work',
    sort: `${kind}#${id}`,
  }),

  report: (party: string, reportId: string): ItemKey => ({ partition: `report#${party}`, sort: reportId }),
  /** A report that is too large for one call, by its name (report-slices.ts). */
  reportWork: (id: string): ItemKey => ({ partition: `report-work#${id}`, sort: 'head' }),
  reportSlice: (id: string, slice: number): ItemKey => ({
    partition: `report-slices#${id}`,
    sort: padded(slice),
  }),
  transfer: (party: string, transferId: string): ItemKey => ({
    partition: `transfer#${party}`,
    sort: transferId,
  }),
  notice: (id: string): ItemKey => ({ partition: 'notices', sort: id }),
} as const;
