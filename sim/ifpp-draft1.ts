// Reader and writer of IfppDraft1 (shared/ifpp-draft1/ifpp-draft1.asn), by hand and apart from the server's own.
// EIDs and ICCIDs are digits; all else is octets.

export { assembleBppBatch, partNamesOf } from './ifpp-draft1/batch-manifest.ts';
export {
  type Bound,
  type BppBatch,
  type BppItem,
  decodeBppBatch,
  decodeBppItem,
  encodeBppBatch,
  type Failed,
} from './ifpp-draft1/bpp-batch.ts';
export {
  type BppRequest,
  encodeBppRequest,
  encodeEidItems,
  encodeRequestItem,
  type RequestItem,
  type StreamedBppRequest,
  streamBppRequest,
} from './ifpp-draft1/bpp-request.ts';
export type { Chain } from './ifpp-draft1/chain.ts';
export {
  type EuiccDataBatch,
  type EuiccEntry,
  encodeEuiccDataBatch,
  encodeEuiccEntry,
  encodeOneTimeKeyTbs,
  type OneTimeKey,
} from './ifpp-draft1/euicc-data-batch.ts';
export { decodeLoadPackage, encodeLoadPackage, type LoadPackage } from './ifpp-draft1/load-package.ts';
export {
  assemblePagedBatch,
  type ManifestRoot,
  pagesOf,
  provenParts,
  readManifestRoot,
} from './ifpp-draft1/manifest-tree.ts';
export {
  decodeProfileLoadingReport,
  encodeProfileLoadingReport,
  FPA_CAUSE,
  type FpaCause,
  type FpaError,
  type ProfileLoadingReport,
  type ReportItem,
} from './ifpp-draft1/profile-loading-report.ts';
