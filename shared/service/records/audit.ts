import type { Item } from '../../ledger/ledger.ts';
import { type RecordOf, recordOf } from './record.ts';
import {
  dictionary,
  flag,
  list,
  number,
  object,
  oneOf,
  optional,
  type Schema,
  type TypeOf,
  text,
  union,
  whole,
} from './schema.ts';

/** An absent one is left out. */
const fact: Schema<string | number | boolean | undefined> = union(text, number, flag);

/** What vouches for the name of a person; see api/actor.ts. */
const KNOWN_BY = ['osUser', 'key', 'certificate', 'login', 'awsRole'] as const;

export type KnownBy = (typeof KNOWN_BY)[number];

/** The person who acted, and the second one of an action under dual control. */
const who = object({ person: text, knownBy: oneOf(...KNOWN_BY), approvedBy: optional(text) });

export type Who = TypeOf<typeof who>;

const lineMembers = {
  /** ISO 8601. */
  at: text,
  /** What happened: `order.prepared`, `chunk.committed`, `call.refused` … */
  event: text,
  /** functionRequesterIdentifier of the caller, or `server`, `cli` … */
  by: text,
  who: optional(who),
  /** Identifiers and codes only; never a secret. */
  about: dictionary(fact),
};

/** A line that waits for the chain, written with the state change that it tells of. */
export const waitingLine = recordOf('waiting audit line', lineMembers);

export type WaitingLine = RecordOf<typeof waitingLine>;

/** A line in the chain, in the ledger and in the archive alike. Its hash covers all members but `hash` and `v`. */
export const chainedLine = recordOf('audit line', {
  ...lineMembers,
  sequence: whole,
  /** Hash of the line before. */
  previous: text,
  hash: text,
});

const end = { sequence: whole, hash: text };

/** The end of the chain. */
export const auditHead = recordOf('audit head', {
  ...end,
  /** Ends that may have an entry in the PPK vault, and when they were chained: milliseconds. See audit/head-anchors.ts. */
  anchors: list(object({ sequence: whole, since: number })),
});

export type AnchorMark = RecordOf<typeof auditHead>['anchors'][number];

/** An end of the chain, as the PPK vault keeps it. */
export const anchoredHead = recordOf('anchored audit head', end);

/** How far the archive reaches. */
export const auditArchived = recordOf('archived audit lines', { sequence: whole });

/** The head in this item; undefined where nothing is chained yet. */
export const headOf = (item: Item | undefined) => item && auditHead.from(item);

/** The last line that the archive has, by the item that says so; 0 where it has none. */
export const archivedTo = (item: Item | undefined) =>
  item === undefined ? 0 : auditArchived.from(item).sequence;
