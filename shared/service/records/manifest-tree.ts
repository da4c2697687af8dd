import { objectRef, statusName } from './common.ts';
import { type RecordOf, recordOf } from './record.ts';
import { list, object, octets, optional, type TypeOf, text, whole } from './schema.ts';

/*
 * The manifest of a large job, as pages under one root: esbpp/manifest-tree.ts. What is made under one version of the tree
 * says so, so that an attempt that comes late finds that it does.
 */

const failedItem = object({ itemId: whole, code: statusName, message: text });
const keysSlowed = object({ times: whole, waitedMs: whole });

export type StoredFailure = TypeOf<typeof failedItem>;

/** The tree of a job that is made, or being made. */
export const treeRecord = recordOf('manifest tree', {
  /** Counts the trees of the job, from 1. */
  version: whole,
  /** Revision of the trust that its pages lean on. */
  trustEpoch: whole,
  /** Chunks of a page, but for the last one. */
  chunksOfPage: whole,
  pages: whole,
  /** Milliseconds since 1970. */
  startedAt: whole,
  /** Present once all pages are made. */
  done: optional(
    object({
      root: octets,
      /** Roots of the branches (ifpp-draft1/hash-tree.ts), 32 octets each. */
      branches: octets,
      /** How many of the job's chains its bound items name. */
      chains: whole,
      /** Items that are withheld. */
      withheld: whole,
      /** The first of the failed items. */
      failed: list(failedItem),
      keysSlowed: optional(keysSlowed),
      /** Milliseconds since 1970. */
      at: whole,
    }),
  ),
});

export type TreeRecord = RecordOf<typeof treeRecord>;
export type FinishedTree = NonNullable<TreeRecord['done']>;

/** A page that is made. */
export const pageRecord = recordOf('manifest page', {
  version: whole,
  /** What it says, without its proof. */
  content: objectRef,
  /** 32 octets. */
  leaf: octets,
  chains: whole,
  failed: whole,
  withheld: whole,
  keysSlowed: optional(keysSlowed),
});

export type PageRecord = RecordOf<typeof pageRecord>;

/** The first of the failed items of a page; written before it, where there are any. */
export const pageFailures = recordOf('failed items of a page', { version: whole, failed: list(failedItem) });

/** A branch whose pages are all made, and what they add up to: the tree is made of branches, without its pages. */
export const branchRecord = recordOf('manifest branch', {
  version: whole,
  /** 32 octets each. */
  leaves: octets,
  chains: whole,
  withheld: whole,
  keysSlowed: optional(keysSlowed),
  /** The first of its pages that have failed items: as many as an answer may list. */
  failing: list(whole),
});

export type BranchRecord = RecordOf<typeof branchRecord>;
