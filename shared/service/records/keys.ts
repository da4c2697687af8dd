import { createHash } from 'node:crypto';
import { Fault } from '../../errors.ts';
import { WORK_KINDS, type WorkKind } from '../../events/work-kinds.ts';
import type { ItemKey } from '../../ledger/ledger.ts';
import { stripeOf, stripesOf } from '../../ledger/stripes.ts';
import type { AssignedRole } from './custody.ts';
import type { ListedKind } from './inventory.ts';
import { bySubject, byTurn } from './stripes.ts';

/**
 * Every name in the ledger, in one place. Partitions are chosen so that no hot partition grows with the work of
 * others: an eUICC, an order, a job and a profile each have their own.
 */

/** Sort keys that order as numbers do. */
export const padded = (n: number) => String(n).padStart(10, '0');

/** Positions of an order in one partition of results, or in the parts of draws. */
export const BLOCK = 1_000;
export const blockOf = (position: number) => Math.floor(position / BLOCK);
export const profilePartition = (orderId: string, block: number) => `profiles#${orderId}#${block}`;
/** Draws of a block are a list in stripes: every profile that is bound just in time writes one, and those of a moment are of few blocks. */
export const drawStripes = (orderId: string, block: number): readonly string[] =>
  stripesOf(`draws#${orderId}#${block}`, 4);

export const PACK_MADE = 'made#';
export const CLOSED_SLICE = 'closed#';

export const shareReturnedPrefix = (maker: string) => `share-returned#${maker}#`;

/** Stands for a key URI in names. */
export const keyTag = (uri: string) => createHash('sha256').update(uri).digest('hex').slice(0, 24);
/** Public keys of delivery keys, by key ID. */
export const deliveryKeysPartition = 'delivery-keys';
/** Data keys under a wrapping key. */
export const wrappedPartition = (keyUri: string) => `wrapped-under#${keyTag(keyUri)}`;

/** Names of the partitions that are read as a whole. */
export const partitions = {
  parties: 'party',
  trust: 'trust',
  eumChains: 'eum-chains',
  openWork: 'open-work',
  waitingKeys: 'keys-waiting',
  /** Administrators, what they have to do together, and what waits for a second one. */
  dualControl: 'dual-control',
  /** Which stored form is in force, and which releases are at work. */
  forms: 'stored-form',
  failures: 'failures',
  calls: 'calls',
  slowedKeys: 'slowed-keys',
  health: 'health',
} as const;

/** Beginning of the names of an order's notices; an orderId has no `#`. */
export const noticesOf = (orderId: string) => `${orderId}#`;
/** A notice by its order and its functionCallIdentifier. */
export const noticeName = (orderId: string, call: string) => `${noticesOf(orderId)}${call}`;
/** The functionCallIdentifier in a notice's name. */
export const callOfNotice = (name: string) => name.slice(name.indexOf('#') + 1);
/** What a notice tells of, by its name: those of one profile are told in their order. */
export const subjectOfNotice = (name: string) => name.slice(0, name.lastIndexOf('-'));

/** Every change of a profile of any party writes a notice: they are in stripes by what they tell of, as chunks are. */
export const NOTICE_STRIPES = 16;
/** Where notices wait; together they are one list, in the order of their names. */
export const noticeStripes = stripesOf('notices', NOTICE_STRIPES);
/** Where those are that were given up. */
export const parkedNoticeStripes = stripesOf('notices-parked', NOTICE_STRIPES);

const noticeKey = (stripes: readonly string[], name: string): ItemKey => ({
  partition: bySubject(stripes, subjectOfNotice(name)),
  sort: name,
});

/** Every change writes a line of the audit log that waits, and every line is chained: both lists are in stripes. */
export const AUDIT_STRIPES = 16;
/** Where lines wait for the chain; together they are one list, in the order in which they were written. */
export const waitingLineStripes = stripesOf('audit-pending', AUDIT_STRIPES);
/** The chain: each line in the stripe after that of the line before. */
export const auditLineStripes = stripesOf('audit-line', AUDIT_STRIPES);

/** Beginning of the sort keys of releases at work. */
export const RELEASE = 'release#';

/** Beginnings of sort keys of dual control. */
export const ADMINISTRATOR = 'administrator#';
export const APPROVAL = 'approval#';

export const orderPartition = (orderId: string) => `order#${orderId}`;
/** Copies of what every just-in-time commit leans on: enough that those of one moment seldom meet at the same one. */
export const COPIES = 32;

export const listedPartition = (kind: ListedKind) => `listed#${kind}`;
export const orderCountsPartition = (orderId: string) => `order-counts#${orderId}`;
/** Counts of a job: each has a partition, since every chunk of a large one changes one of them twice. */
export const jobCountsPartition = (jobId: string) => `job-counts#${jobId}`;

export const jobPartition = (jobId: string) => `job#${jobId}`;
/** Chunks of jobs and packs of orders are large records, and many: they are in stripes, since one partition takes so much a second. */
export const RECORD_STRIPES = 16;
const inStripe = (list: string, number: number) => stripeOf(list, number % RECORD_STRIPES);
/** The job or order of such a stripe; neither’s identifier has a `#`. */
export const ownerOfStripe = (partition: string) => partition.split('#')[1]!;
export const ingestPartition = (id: string) => `ingest#${id}`;
const TRANSFERS = 'transfer#';
export const partyOfTransfer = (partition: string) => partition.slice(TRANSFERS.length);
/** Traces of attempts, in stripes by the first digit of their names: every chunk of a busy server writes one. */
export const traceStripes = stripesOf('traces', 16);
/** How the sort keys of traces begin that are due at this moment: milliseconds since 1970. */
export const dueBy = (ms: number) => String(ms).padStart(13, '0');
export const reportSlicesPartition = (id: string) => `report-slices#${id}`;

/** Beginnings of sort keys in the partition of an order. */
export const RETURNED = 'returned#';
/** Of lanes, which are returned positions as well, and the last of them: supply/lane.ts. */
export const LANE = `${RETURNED}~`;
export const REPLACEMENT = 'replacement#';
export const TIE = 'tie#';
/** Of a job, and of a batch of eUICC data. */
export const PROGRESS = 'progress#';
export const SLICE_NAME = 'slice#';
/** Of a job whose manifest has pages: of a page, of failed items of one, and of a branch of the tree. */
const MANIFEST_PAGE = 'page#';
const PAGE_FAILURES = 'failed#';
const BRANCH_NAME = 'branch#';
/** The number of a page, of a branch, or of a slice of a request, by its sort key. */
export const pageOfSort = (sort: string) => Number(sort.slice(sort.indexOf('#') + 1));

export const tiePrefix = (eid: string) => `${TIE}${eid}#`;
/** Whom a tie is for, by its sort key. */
export const eidOfTie = (sort: string) => sort.slice(TIE.length).split('#', 1)[0] ?? '';

/** Kind and name of open work by its sort key; the name may have any characters. */
export function parseOpenWorkName(sort: string): { kind: WorkKind; id: string } {
  const at = sort.indexOf('#');
  const kind = WORK_KINDS.find((known) => known === sort.slice(0, at));
  if (kind === undefined) throw new Fault('ledger', `the item open-work / ${sort} names no kind of work`);
  return { kind, id: sort.slice(at + 1) };
}

export const ledgerKeys = {
  /** Whether this ledger may be written to; see standing.ts. */
  standing: { partition: 'ledger', sort: 'standing' } as ItemKey,
  /** How far verification by itself has come; see service/verify/scrub.ts. */
  verification: { partition: 'ledger', sort: 'verification' } as ItemKey,
  /** Which deployment this ledger belongs to. */
  identity: { partition: 'ledger', sort: 'identity' } as ItemKey,
  formInForce: { partition: partitions.forms, sort: 'in-force' } as ItemKey,
  release: (version: string): ItemKey => ({ partition: partitions.forms, sort: `${RELEASE}${version}` }),
  /** The end of the audit log. */
  auditHead: { partition: 'audit', sort: 'head' } as ItemKey,
  /** Up to which line the archive goes. */
  auditArchived: { partition: 'audit', sort: 'archived' } as ItemKey,
  auditLine: (sequence: number): ItemKey => ({
    partition: byTurn(auditLineStripes, sequence),
    sort: padded(sequence),
  }),
  /** A line that waits for the chain, by when it was written, in milliseconds; `id` makes it repeatable. */
  waitingLine: (atMs: number, id: string): ItemKey => ({
    partition: bySubject(waitingLineStripes, id),
    sort: `${dueBy(atMs)}#${id}`,
  }),

  party: (fingerprint: string): ItemKey => ({ partition: partitions.parties, sort: fingerprint }),
  /** The calls that a party has left, by its identifier. */
  rate: (party: string): ItemKey => ({ partition: `rate#${party}`, sort: 'head' }),

  trustEpoch: { partition: partitions.trust, sort: 'epoch' } as ItemKey,
  /** What commits of a moment lean on in place of the epoch, apart from each other. */
  trustEpochCopy: (copy: number): ItemKey => ({ partition: `trust-epoch#${copy}`, sort: 'copy' }),
  trust: (kind: 'ci' | 'eum' | 'dppb' | 'crl', name: string): ItemKey => ({
    partition: partitions.trust,
    sort: `${kind}#${name}`,
  }),

  trustPolicy: { partition: partitions.trust, sort: 'policy' } as ItemKey,
  knownEumChain: (sha256: string): ItemKey => ({ partition: partitions.eumChains, sort: sha256 }),

  dualControlPolicy: { partition: partitions.dualControl, sort: 'policy' },
  administrator: (name: string): ItemKey => ({
    partition: partitions.dualControl,
    sort: `${ADMINISTRATOR}${name}`,
  }),
  approval: (id: string): ItemKey => ({ partition: partitions.dualControl, sort: `${APPROVAL}${id}` }),
  probe: { partition: partitions.health, sort: 'probe' } as ItemKey,
  clock: { partition: partitions.health, sort: 'clock' } as ItemKey,
  slowedKey: (key: string, how: string): ItemKey => ({
    partition: partitions.slowedKeys,
    sort: `${keyTag(key)} ${how}`,
  }),
  waitingKey: (uri: string): ItemKey => ({ partition: partitions.waitingKeys, sort: keyTag(uri) }),
  keyAssignment: (role: AssignedRole): ItemKey => ({ partition: 'keys', sort: role }),
  deliveryKey: (keyId: string): ItemKey => ({ partition: deliveryKeysPartition, sort: keyId }),
  wrappedUnder: (keyUri: string, name: string): ItemKey => ({
    partition: wrappedPartition(keyUri),
    sort: name,
  }),

  order: (orderId: string): ItemKey => ({ partition: orderPartition(orderId), sort: 'head' }),
  /** Apart from the head, so that chunk commits can lean on it without racing for the supply. */
  orderState: (orderId: string): ItemKey => ({ partition: orderPartition(orderId), sort: 'state' }),
  /** There as long as the order is open; copies as those of the trust epoch. */
  orderOpen: (orderId: string, copy: number): ItemKey => ({
    partition: `order-open#${orderId}#${copy}`,
    sort: 'mark',
  }),
  orderSupply: (orderId: string): ItemKey => ({ partition: orderPartition(orderId), sort: 'supply' }),
  orderPack: (orderId: string, pack: number): ItemKey => ({
    partition: inStripe(orderPartition(orderId), pack),
    sort: `pack#${padded(pack)}`,
  }),
  /** Comes with a pack's record and holds nothing: what is made can be counted without reading it. */
  orderPackMade: (orderId: string, pack: number): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${PACK_MADE}${padded(pack)}`,
  }),
  /** Which items drew the positions from `from` on, in pieces that stay within a block. */
  orderDraw: (orderId: string, from: number, jobId: string): ItemKey => ({
    partition: byTurn(drawStripes(orderId, blockOf(from)), from),
    sort: `${padded(from)}#${jobId}`,
  }),
  orderReturned: (orderId: string, jobId: string, chunk: number): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${RETURNED}${jobId}#${padded(chunk)}`,
  }),
  /** Positions laid out for one process to bind just in time. */
  orderLane: (orderId: string, lane: string): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${LANE}${lane}`,
  }),
  /** What is left of a lane whose process has gone. */
  orderReturnedOfLane: (orderId: string, lane: string): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${RETURNED}lane-${lane}`,
  }),
  /** Positions that a restore gave back, named by the first of them: the same list again is the same item. */
  orderReturnedAgain: (orderId: string, first: number): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${RETURNED}restored-${padded(first)}`,
  }),
  /** Positions that a chunk of a maker's job gave back; counted against its share no more. */
  shareReturned: (orderId: string, maker: string, jobId: string, chunk: number): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${shareReturnedPrefix(maker)}${jobId}#${padded(chunk)}`,
  }),
  /** The same of its positions that left a lane of its share (supply/lane.ts): `by` names what took them out, once. */
  shareReturnedOfLane: (orderId: string, maker: string, by: string): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${shareReturnedPrefix(maker)}lane-${by}`,
  }),
  orderShare: (orderId: string, maker: string): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `share#${maker}`,
  }),
  /** Of an order that has ended: a slice of its places that nothing is left to be done of. */
  closedSlice: (orderId: string, slice: number): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${CLOSED_SLICE}${padded(slice)}`,
  }),
  /** What came of a slice of its rows: the largest records of an order, in stripes as chunks are. */
  rowSlice: (orderId: string, slice: number): ItemKey => ({
    partition: inStripe(`order-rows#${orderId}`, slice),
    sort: `${SLICE_NAME}${padded(slice)}`,
  }),
  badRowSlice: (orderId: string): ItemKey => ({
    partition: inStripe(`order-rows#${orderId}`, 0),
    sort: 'bad',
  }),
  /** Packs of one beyond the order's own, made as replacements. */
  orderExtras: (orderId: string): ItemKey => ({ partition: orderPartition(orderId), sort: 'extras' }),
  replacement: (orderId: string, iccid: string): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${REPLACEMENT}${iccid}`,
  }),
  tie: (orderId: string, eid: string, position: number): ItemKey => ({
    partition: orderPartition(orderId),
    sort: `${TIE}${eid}#${padded(position)}`,
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
  /** By the key's identity among the suites of its curve: see `keyOwnerKey`, and crypto/suite-type.ts. */
  oneTimeKey: (curve: string, identity: string): ItemKey => ({
    partition: `otpk#${curve}#${identity}`,
    sort: 'owner',
  }),
  /** An EuiccDataBatch of path A, by its name (see euicc-batches.ts); its slices stand beside it. */
  ingest: (id: string): ItemKey => ({ partition: ingestPartition(id), sort: 'head' }),
  ingestSlice: (id: string, slice: number): ItemKey => ({
    partition: ingestPartition(id),
    sort: `${SLICE_NAME}${padded(slice)}`,
  }),
  ingestProgress: (id: string, slice: number): ItemKey => ({
    partition: ingestPartition(id),
    sort: `${PROGRESS}${padded(slice)}`,
  }),
  /** Where eUICC certificates say that their revocation lists are. */
  distributionPoint: (url: string): ItemKey => ({ partition: 'distribution-points', sort: url }),

  job: (jobId: string): ItemKey => ({ partition: jobPartition(jobId), sort: 'head' }),
  jobChains: (jobId: string): ItemKey => ({ partition: jobPartition(jobId), sort: 'chains' }),
  jobAnswer: (jobId: string): ItemKey => ({ partition: jobPartition(jobId), sort: 'answer' }),
  /** The plan of a slice of a large request. */
  requestSlice: (jobId: string, slice: number): ItemKey => ({
    partition: jobPartition(jobId),
    sort: `${SLICE_NAME}${padded(slice)}`,
  }),
  manifestTree: (jobId: string): ItemKey => ({ partition: jobPartition(jobId), sort: 'tree' }),
  manifestPage: (jobId: string, page: number): ItemKey => ({
    partition: jobPartition(jobId),
    sort: `${MANIFEST_PAGE}${padded(page)}`,
  }),
  pageFailures: (jobId: string, page: number): ItemKey => ({
    partition: jobPartition(jobId),
    sort: `${PAGE_FAILURES}${padded(page)}`,
  }),
  manifestBranch: (jobId: string, branch: number): ItemKey => ({
    partition: jobPartition(jobId),
    sort: `${BRANCH_NAME}${padded(branch)}`,
  }),
  /** A chain of ours by its SHA-256, which jobs share that were bound just in time. */
  bindingChain: (sha256: string): ItemKey => ({ partition: `binding-chain#${sha256}`, sort: 'head' }),
  chunk: (jobId: string, chunk: number): ItemKey => ({
    partition: inStripe(jobPartition(jobId), chunk),
    sort: `chunk#${padded(chunk)}`,
  }),
  chunkProgress: (jobId: string, chunk: number): ItemKey => ({
    partition: jobPartition(jobId),
    sort: `${PROGRESS}${padded(chunk)}`,
  }),
  /** An entry of a list by time: service/counts/listed.ts. */
  listed: (kind: ListedKind, atMs: number, id: string): ItemKey => ({
    partition: listedPartition(kind),
    sort: `${dueBy(atMs)}#${id}`,
  }),
  orderCount: (orderId: string, day: string, shard: number): ItemKey => ({
    partition: orderCountsPartition(orderId),
    sort: `${day}#${shard}`,
  }),
  jobCount: (jobId: string, shard: number): ItemKey => ({
    partition: `${jobCountsPartition(jobId)}#${shard}`,
    sort: 'count',
  }),
  failure: (atMs: number, id: string): ItemKey => ({
    partition: partitions.failures,
    sort: `${dueBy(atMs)}#${id}`,
  }),
  callCounts: (minuteMs: number, process: string): ItemKey => ({
    partition: partitions.calls,
    sort: `${dueBy(minuteMs)}#${process}`,
  }),
  /** Work that a restart must take up again. */
  openWork: (kind: WorkKind, id: string): ItemKey => ({
    partition: partitions.openWork,
    sort: `${kind}#${id}`,
  }),

  report: (party: string, reportId: string): ItemKey => ({ partition: `report#${party}`, sort: reportId }),
  /** A report that is too large for one call, by its name (report-slices.ts). */
  reportWork: (id: string): ItemKey => ({ partition: `report-work#${id}`, sort: 'head' }),
  reportSlice: (id: string, slice: number): ItemKey => ({
    partition: reportSlicesPartition(id),
    sort: padded(slice),
  }),
  /** By when it is due, so that a look reads nothing else. */
  trace: (id: string, dueAt: number): ItemKey => ({
    partition: byTurn(traceStripes, Number.parseInt(id.slice(0, 1), 16)),
    sort: `${dueBy(dueAt)}#${id}`,
  }),
  /** What a party may have under way of uploads. */
  openUploads: (party: string): ItemKey => ({ partition: `uploads#${party}`, sort: 'head' }),
  transfer: (party: string, transferId: string): ItemKey => ({
    partition: `${TRANSFERS}${party}`,
    sort: transferId,
  }),
  parkedNotice: (name: string): ItemKey => noticeKey(parkedNoticeStripes, name),
  notice: (name: string): ItemKey => noticeKey(noticeStripes, name),
  /** The key that signs callbacks, the client key in use, and the one that waits for its certificate. */
  callbackKey: (name: 'signing' | 'client' | 'client-next'): ItemKey => ({
    partition: 'callback-keys',
    sort: name,
  }),
} as const;
