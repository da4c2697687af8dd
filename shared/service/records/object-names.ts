import { createHash } from 'node:crypto';
import { Fault } from '../../errors.ts';
import { SMALL } from '../../vault/names.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import { padded } from './keys.ts';

/** Every name of a vault object, in one place. Folders that hold one kind of object end with `/`. */

export const UPLOADS = 'uploads/';
export const COMMIT_RECORDS = SMALL.commits;
export const LANE_PARTS = SMALL.parts;
export const JOB_RECORDS = 'records/jobs/';
export const ORDER_RECORDS = 'records/orders/';
export const DELIVERY_KEY_RECORDS = 'records/delivery-keys/';
export const AUDIT_ARCHIVE = 'audit/';
export const CRLS = 'crls/';

/** Folders of locked objects: no newer version is laid over one, and nothing in them is removed. */
export const WRITTEN_ONCE = [AUDIT_ARCHIVE, COMMIT_RECORDS, CRLS, 'manifests/', 'records/'];
/** Folders whose objects may be removed: what lost attempts wrote, and what has done its service. */
export const REMOVABLE = [
  UPLOADS,
  'euicc-data/',
  'euicc-data-results/',
  'orders/',
  'parts/',
  'report-results/',
  'reports/',
  'requests/',
  'tasks/',
];

/** Milliseconds since 1970 that no commit reaches (year 2286). */
const LATEST = 9_999_999_999_999;

export const objectNames = {
  /** The object that a transfer fills. */
  upload: (transferId: string) => `${UPLOADS}${transferId}`,

  /** Rows of an order as they came inline, and its sealed template, by attempt: the order's record names them. */
  rows: (orderId: string, attempt: string) => `orders/${orderId}/rows-${attempt}`,
  template: (orderId: string, attempt: string) => `orders/${orderId}/template-${attempt}`,
  /** Of the rows that came with a template. */
  rowIndex: (template: string) => `${template}-rows`,
  /** Packs, and their output rows, by attempt: the pack's record says which one counts. */
  pack: (orderId: string, pack: number, attempt: string) => `${packAttempts(orderId, pack)}${attempt}`,
  output: (orderId: string, pack: number, attempt: string) => `orders/${orderId}/output/${pack}-${attempt}`,

  /** A batch of eUICC data as it came, and all its refusals. */
  euiccData: (id: string, attempt: string) => `euicc-data/${id}-${attempt}`,
  euiccDataResult: (id: string) => `euicc-data-results/${id}`,
  /** A BppRequest as it came, by attempt: the job's record names it. */
  request: (jobId: string, attempt: string) => `requests/${jobId}-${attempt}`,
  /** BppItems of a chunk, by attempt: the commit says which one counts. */
  part: (jobId: string, chunk: number, attempt: string) => `parts/${jobId}/${chunk}-${attempt}`,
  /** The BppItem of a position, sealed, by the lane that it was bound through. */
  lanePart: (orderId: string, lane: string, position: number) =>
    `${LANE_PARTS}${orderId}/${lane}/${position}`,
  /** The same with items replaced by refusals; `without` follows from which. */
  partWithout: (jobId: string, chunk: number, without: string) =>
    `parts/${jobId}/${chunk}-without-${without}`,
  manifest: (jobId: string, version: string) => `manifests/${jobId}-${version}`,
  /** The second signature over it; `standing` as in keys/long-term.ts. */
  manifestSignature: (jobId: string, version: string, standing: readonly string[]) =>
    `manifests/${jobId}-${version}-${createHash('sha256').update(JSON.stringify(standing)).digest('hex').slice(0, 16)}.jws`,
  /** A page of it, where it has pages: by its leaf (as far as a name needs it), and the version of its tree. */
  manifestPage: (jobId: string, leaf: string, tree: number) => `manifests/${jobId}-page-${leaf}-${tree}`,
  /** A large loading report as it came. */
  report: (id: string, attempt: string) => `reports/${id}-${attempt}`,
  /** All refusals of a large report, a line each. */
  reportResult: (id: string) => `report-results/${id}`,
  /** A revocation list, by its SHA-256. */
  crl: (sha256: string) => `${CRLS}${sha256}`,
  /** The list that a state machine maps its tasks over. */
  tasks: (kind: string, id: string) => `tasks/${kind}/${id}`,

  /** The newest commit comes first in the order of names, so that one look tells whether the ledger knows it. */
  commitRecord: (jobId: string, chunk: number, committedAt: number) =>
    `${COMMIT_RECORDS}${String(LATEST - committedAt).padStart(13, '0')}-${jobId}-${chunk}`,
  jobRecord: (jobId: string) => `${JOB_RECORDS}${jobId}`,
  /** The plan of a slice of a large request, apart from the records of jobs, which are listed. */
  requestSlice: (jobId: string, slice: number) => `records/request-slices/${jobId}/${slice}`,
  orderRecord: (orderId: string) => `${ORDER_RECORDS}${orderId}`,
  /** By its `kid`. */
  deliveryKeyRecord: (keyId: string) => `${DELIVERY_KEY_RECORDS}${keyId}`,
  /** Which deployment this vault belongs to. */
  identity: 'records/deployment',
  /** Lines of the audit log from one sequence number to another. */
  auditArchive: (from: number, to: number) => `${AUDIT_ARCHIVE}${padded(from)}-${padded(to)}`,
} as const;

/** How the names of all attempts at a pack begin. */
export const packAttempts = (orderId: string, pack: number) => `orders/${orderId}/packs/${pack}-`;

/** Of which position an object is, and of which order; undefined of what no lane wrote. */
export function parseLanePart(name: string): { orderId: string; position: number } | undefined {
  const [, orderId, position] = /^parts\/just-in-time\/([^/]+)\/[^/]+\/(\d+)$/.exec(name) ?? [];
  return orderId === undefined ? undefined : { orderId, position: Number(position) };
}

/** The transferId of an object that came by a transfer; undefined for others. */
export const uploadedAs = ({ name }: Pick<ObjectRef, 'name'>): string | undefined =>
  name.startsWith(UPLOADS) ? name.slice(UPLOADS.length) : undefined;

export function parseCommitRecordName(name: string): { jobId: string; chunk: number; committedAt: number } {
  const [, age, jobId, chunk] = /^commits\/(\d{13})-([0-9a-f]+)-(\d+)$/.exec(name) ?? [];
  if (jobId === undefined) throw new Fault('vault', `${name} is not the name of a commit record`);
  return { jobId, chunk: Number(chunk), committedAt: LATEST - Number(age) };
}

export function parseAuditArchiveName(name: string): { from: number; to: number } {
  const [, from, to] = /^audit\/(\d+)-(\d+)$/.exec(name) ?? [];
  if (from === undefined) throw new Fault('vault', `${name} is not the name of an archive of the audit log`);
  return { from: Number(from), to: Number(to) };
}

/** Names of entries of the PPK vault: the keys of an attempt at a pack, and its data key apart from them. */
export const ppkNames = (orderId: string, pack: number, attempt: string) => ({
  ppks: `${orderId}/${pack}/${attempt}`,
  dataKey: `${orderId}/${pack}/${attempt}-key`,
});

/** Folder of the store outside that has the ends of a deployment's audit log. */
export const auditHeadsOf = (deployment: string): string => `audit-heads/${deployment}/`;

/** The entry of the PPK vault whose header says which deployment it belongs to. */
export const PPK_IDENTITY = 'deployment/identity';

/** Entries of the PPK vault whose headers are ends that the audit log has had. */
export const PPK_AUDIT_HEADS = 'audit-heads/';
export const ppkAuditHead = (sequence: number) => `${PPK_AUDIT_HEADS}${padded(sequence)}`;
