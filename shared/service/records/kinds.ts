import type { ItemKey } from '../../ledger/ledger.ts';
import { auditArchived, auditHead, chainedLine, waitingLine } from './audit.ts';
import { callbackClient, callbackClientRequest, callbackSigningKey } from './callback-keys.ts';
import { clockComparison } from './clock.ts';
import { deliveryKeyRecord, keyAssignment, waitingKey, wrappedUnder } from './custody.ts';
import { administratorRecord, approvalRecord, dualControlPolicy } from './dual-control.ts';
import { euiccCertificateRecord, euiccInfo2Record, euiccRecord, keyOwner } from './euicc.ts';
import { identityRecord } from './identity.ts';
import { ingestRecord, sliceProgress, sliceRecord } from './ingest.ts';
import { callCounts, failureRecord, jobCount, listedEntry, orderCount } from './inventory.ts';
import { answerRecord, chunkProgress, chunkRecord, jobChains, jobRecord, requestSlice } from './job.ts';
import { branchRecord, pageFailures, pageRecord, treeRecord } from './manifest-tree.ts';
import { noticeRecord, parkedNotice } from './notice.ts';
import {
  badRowSlice,
  closedSlice,
  drawRecord,
  extrasRecord,
  iccidOwner,
  listedOrder,
  openMark,
  orderRecord,
  orderStateRecord,
  packMade,
  packRecord,
  replacementRecord,
  returnedOfShare,
  returnedRecord,
  rowSlice,
  shareRecord,
  supplyRecord,
  tieRecord,
} from './order.ts';
import { bucketRecord, partyRecord } from './party.ts';
import { probeRecord } from './probe.ts';
import { profileRecord } from './profile.ts';
import type { RecordKind } from './record.ts';
import { reportRecord, reportSlice, reportWork } from './report.ts';
import { slowedKey } from './slowed-key.ts';
import { standingRecord } from './standing.ts';
import { formRecord, releaseRecord } from './stored-form.ts';
import { traceRecord } from './trace.ts';
import { openUploadsRecord, transferRecord } from './transfer.ts';
import {
  ciRecord,
  crlRecord,
  distributionPoint,
  dpPbRecord,
  eumChainRecord,
  eumRecord,
  knownEumChain,
  trustEpochCopy,
  trustEpochRecord,
  trustPolicyRecord,
} from './trust.ts';
import { verificationRecord } from './verification.ts';
import { openWorkRecord } from './work.ts';

/**
 * Which kind of record stands under a name (keys.ts): by the partition up to its first `#`, and by the sort key up to
 * its own; `*` where the sort key is a name.
 */
const KINDS: Readonly<Record<string, Readonly<Record<string, RecordKind<object>>>>> = {
  ledger: { standing: standingRecord, identity: identityRecord, verification: verificationRecord },
  'stored-form': { 'in-force': formRecord, release: releaseRecord },
  audit: { head: auditHead, archived: auditArchived },
  'audit-line': { '*': chainedLine },
  'audit-pending': { '*': waitingLine },
  party: { '*': partyRecord },
  rate: { head: bucketRecord },
  trust: {
    epoch: trustEpochRecord,
    policy: trustPolicyRecord,
    ci: ciRecord,
    eum: eumRecord,
    dppb: dpPbRecord,
    crl: crlRecord,
  },
  'trust-epoch': { copy: trustEpochCopy },
  'eum-chains': { '*': knownEumChain },
  keys: { '*': keyAssignment },
  health: { probe: probeRecord, clock: clockComparison },
  'slowed-keys': { '*': slowedKey },
  'keys-waiting': { '*': waitingKey },
  'dual-control': { policy: dualControlPolicy, administrator: administratorRecord, approval: approvalRecord },
  'delivery-keys': { '*': deliveryKeyRecord },
  'wrapped-under': { '*': wrappedUnder },
  order: {
    head: orderRecord,
    state: orderStateRecord,
    supply: supplyRecord,
    pack: packRecord,
    made: packMade,
    returned: returnedRecord,
    'share-returned': returnedOfShare,
    share: shareRecord,
    extras: extrasRecord,
    replacement: replacementRecord,
    tie: tieRecord,
    closed: closedSlice,
  },
  'order-rows': { slice: rowSlice, bad: badRowSlice },
  'order-open': { mark: openMark },
  draws: { '*': drawRecord },
  profiles: { '*': profileRecord },
  'orders-of': { '*': listedOrder },
  iccid: { owner: iccidOwner },
  euicc: { head: euiccRecord, certificate: euiccCertificateRecord },
  'eum-chain': { head: eumChainRecord },
  'euicc-info2': { head: euiccInfo2Record },
  otpk: { owner: keyOwner },
  ingest: { head: ingestRecord, slice: sliceRecord, progress: sliceProgress },
  'distribution-points': { '*': distributionPoint },
  job: {
    head: jobRecord,
    chains: jobChains,
    slice: requestSlice,
    chunk: chunkRecord,
    progress: chunkProgress,
    answer: answerRecord,
    tree: treeRecord,
    page: pageRecord,
    failed: pageFailures,
    branch: branchRecord,
  },
  listed: { '*': listedEntry },
  'order-counts': { '*': orderCount },
  'job-counts': { count: jobCount },
  failures: { '*': failureRecord },
  calls: { '*': callCounts },
  'binding-chain': { head: jobChains },
  'open-work': { '*': openWorkRecord },
  report: { '*': reportRecord },
  'report-work': { head: reportWork },
  'report-slices': { '*': reportSlice },
  transfer: { '*': transferRecord },
  'callback-keys': {
    signing: callbackSigningKey,
    client: callbackClient,
    'client-next': callbackClientRequest,
  },
  notices: { '*': noticeRecord },
  'notices-parked': { '*': parkedNotice },
  traces: { '*': traceRecord },
  uploads: { head: openUploadsRecord },
};

/** The kind of record under this name; undefined where nothing of ours has such a name. */
export function kindOf({ partition, sort }: ItemKey): RecordKind<object> | undefined {
  const kinds = KINDS[partition.split('#', 1)[0]!];
  return kinds?.['*'] ?? kinds?.[sort.split('#', 1)[0]!];
}

/** All kinds that a ledger holds. */
export const ledgerKinds: ReadonlySet<RecordKind<object>> = new Set(
  Object.values(KINDS).flatMap((bySort) => Object.values(bySort)),
);
