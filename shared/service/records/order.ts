import type { Item } from '../../ledger/ledger.ts';
import { objectRef, refusalMembers, statusName, warnings } from './common.ts';
import { type RecordOf, recordOf } from './record.ts';
import {
  anyValue,
  dictionary,
  either,
  flag,
  list,
  type Members,
  object,
  octets,
  oneOf,
  optional,
  text,
  tuple,
  whole,
} from './schema.ts';

/** See service/api/es2f.ts, `Personalisation`. */
const personalisationMembers = {
  keys: optional(oneOf('generate', 'template')),
  constants: optional(dictionary(text)),
  deriveIsim: optional(flag),
};

const personalisation = either(
  'format',
  object({ format: oneOf('csv', 'jsonl', 'jwe'), ...personalisationMembers }),
  object({ iccidStart: text, imsiStart: optional(text), ...personalisationMembers }),
);

/** See euicc/eligibility.ts. */
const eligibility = object({
  minProfileVersion: optional(text),
  minSvn: optional(text),
  requiredCapabilities: optional(list(text)),
  minNvm: optional(whole),
  allowedEum: optional(list(text)),
  allowedCi: optional(list(text)),
  eidPrefixes: optional(list(text)),
  eids: optional(list(text)),
  profilePolicyRules: optional(list(text)),
  certifiedPlatforms: optional(list(text)),
  suites: optional(list(text)),
});

export const orderMembers = {
  operator: text,
  profileType: text,
  quantity: whole,
  requesterDms: list(text),
  shares: optional(dictionary(whole)),
  personalisation,
  /** The Operator's rows as they came: encrypted to us, or without secrets. */
  rows: optional(objectRef),
  eligibility,
  /** StoreMetadata in the JSON form of rsp/store-metadata-json.ts, as the Operator gave it. */
  metadata: dictionary(anyValue),
  /** A JWK as the Operator gave it. */
  outputKey: optional(dictionary(anyValue)),
  callbackUrl: optional(text),
  callbackCa: optional(text),
  /** Notices that a call to callbackUrl may carry; one each, and no array, where it is absent. */
  callbackBatch: optional(whole),
  /** SHA-256 of the canonical order: the same orderId with another body is refused. */
  bodyHash: text,
  /** The template, sealed under a data key of its own. */
  template: objectRef,
  /** That data key, wrapped: keys/wrapped-key.ts. Changes when the wrapping key does. */
  templateKey: octets,
  /** As the template came, where it came by a transfer: destroyed once the order is taken. */
  templateUpload: optional(objectRef),
  packSize: whole,
  warnings,
  /** Milliseconds since 1970. */
  createdAt: whole,
} as const;

/** What the Operator ordered; only `templateKey` ever changes. */
export const orderRecord = recordOf('order', orderMembers);

export type OrderRecord = Members<typeof orderMembers>;

/** Packs of the order's own; those beyond hold one replacement each. */
export const packCount = (order: Pick<OrderRecord, 'quantity' | 'packSize'>) =>
  Math.ceil(order.quantity / order.packSize);

export const orderStateRecord = recordOf('order state', {
  state: oneOf('Preparing', 'Open', 'Cancelled', 'Closed', 'Rejected'),
  /** Why an order was rejected while it was prepared. */
  reason: optional(object(refusalMembers)),
});

export type OrderStateRecord = RecordOf<typeof orderStateRecord>;

/** Says by being there that an order is open. */
export const openMark = recordOf('open order', {});

/** An order in the list of its Operator. */
export const listedOrder = recordOf('listed order', {
  /** Milliseconds since 1970. */
  createdAt: whole,
});

/**
 * The positions that are still to be drawn: everything from `next` on but `taken`, and what refused items gave back
 * (items of their own). A position in no draw, not returned and below `next` is one of `taken`.
 */
export const supplyRecord = recordOf('supply', {
  next: whole,
  end: whole,
  /** Half-open runs (from, to) at or above `next`, ascending, that were drawn by ICCID or cancelled one by one. */
  taken: list(tuple(whole, whole)),
});

export type SupplyRecord = RecordOf<typeof supplyRecord>;

/** Positions that refused items gave back. */
export const returnedRecord = recordOf('returned positions', {
  positions: list(whole),
  /** Of a lane: what was bound through it, until its end is counted (counts/lane-counts.ts). */
  lane: optional(
    object({
      /** Profiles, that of `last` among them. */
      bound: whole,
      /** The job of the last one; the others are delivered. */
      last: text,
    }),
  ),
  /** Of a lane that is for whoever takes it over: when it was laid out, in milliseconds. */
  spareFrom: optional(whole),
  /** Of a lane: the device manufacturer in whose share its positions are counted as long as they are in it. */
  sharer: optional(text),
});

export type ReturnedRecord = RecordOf<typeof returnedRecord>;

/** How many of the positions that a chunk gave back counted against its maker's share. */
export const returnedOfShare = recordOf('returned share', { count: whole });

/** Which items of a job drew the positions from `from` on: `index` and those after it. */
export const drawRecord = recordOf('draw', { jobId: text, index: whole, from: whole, count: whole });

export type DrawRecord = RecordOf<typeof drawRecord>;

/** How many packs of one there are beyond the order's own. */
export const extrasRecord = recordOf('extra packs', { count: whole });

/** The number in an order's item of extra packs; 0 where there is none yet. */
export const extraPacks = (item: Item | undefined) =>
  item === undefined ? 0 : extrasRecord.from(item).count;

/**
 * A replacement for a profile that was bound and is of no use: a position of its own, which only its eUICC may draw.
 * It comes from the supply, or from a pack of one beyond the order's own.
 */
export const replacementRecord = recordOf('replacement', { eid: text, position: whole });

export type ReplacementRecord = RecordOf<typeof replacementRecord>;

/** A position kept for one eUICC; `drawn` once a request has taken it. */
export const tieRecord = recordOf('tie', { position: whole, drawn: flag });

export type TieRecord = RecordOf<typeof tieRecord>;

/** What a device manufacturer has drawn of its share of an order, refused items among them. */
export const shareRecord = recordOf('share', { drawn: whole });

/** A pack of protected profiles; its existence commits the pack, its PPKs and its output rows together. */
export const packRecord = recordOf('pack', {
  object: objectRef,
  /** Octets from the start of the object to each entry, and its end: one more than there are profiles. */
  offsets: list(whole),
  iccids: list(text),
  /** Name of the PPKs in the PPK vault. */
  ppks: text,
  /**
   * Name of an entry of the PPK vault whose header is the pack's data key, wrapped (keys/wrapped-key.ts). It stands
   * apart from the PPKs so that it can be replaced, and the old form destroyed, while PPKs are destroyed.
   */
  dataKey: text,
  output: optional(objectRef),
});

export type PackRecord = RecordOf<typeof packRecord>;

/** Says by its name that a pack is made. */
export const packMade = recordOf('made pack', {});

/** A slice of the places of an ended order that nothing is left to be done of, and how many of its profiles were not bound. */
export const closedSlice = recordOf('closed slice', { closed: whole });

/** Which position of which order an ICCID belongs to, for ever once it is bound (I2). */
export const iccidOwner = recordOf('ICCID owner', { orderId: text, position: whole });

const rowRefusal = object({ code: statusName, message: text, subjectIdentifier: optional(text) });

/**
 * Where each block of the rows of an order is in the file. A vault object beside the order, so that a pack reads its own
 * block only, and a slice of the check its own blocks.
 */
export const rowIndex = recordOf('row index', {
  columns: list(text),
  /** Octets before the first block and up to the end of each. */
  offsets: list(whole),
  /** Hashes of the blocks: vault/range-hash.ts. */
  hashes: octets,
  /** Blocks of a slice, where rows are checked in slices and not with the order. */
  sliceBlocks: optional(whole),
  /** Why there are no blocks behind these: of an order that is bad at the latest there. */
  refused: optional(rowRefusal),
});

export type RowIndex = RecordOf<typeof rowIndex>;

/** Tasks that check the rows. */
export const rowSliceCount = ({ offsets, sliceBlocks = 1 }: RowIndex): number =>
  Math.ceil((offsets.length - 1) / sliceBlocks);

/**
 * What came of a slice of the rows of an order: of each row that was read what must be once in the order, 10 octets a value
 * (es2f/row-values.ts), and why the order is bad at the first row after those, or at the last of them. Kept until the order is
 * open or its end is worked off.
 */
export const rowSlice = recordOf('row slice', {
  firstRow: whole,
  refused: optional(rowRefusal),
  /** By column. */
  values: dictionary(octets),
});

export type RowSlice = RecordOf<typeof rowSlice>;
export type RowRefusal = NonNullable<RowSlice['refused']>;

/** A slice with a bad row: those behind it need not be checked. */
export const badRowSlice = recordOf('bad row slice', { slice: whole });
