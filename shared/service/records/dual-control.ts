import { type RecordOf, recordOf } from './record.ts';
import { list, octets, oneOf, optional, text, whole } from './schema.ts';

/** What may be put under dual control; what each is stands in dual-control/actions.ts. */
export const GUARDED_ACTIONS = [
  'key.generate',
  'key.install',
  'key.retire',
  'trust.add',
  'trust.remove',
  'party.add',
  'party.revoke',
  'erase',
  'restore',
  'administrators',
] as const;

export type GuardedAction = (typeof GUARDED_ACTIONS)[number];

/** Which actions wait for a second administrator, and how many hours an approval holds. */
export const dualControlPolicy = recordOf('dual control policy', {
  actions: list(oneOf(...GUARDED_ACTIONS)),
  hours: whole,
});

export type DualControlPolicy = RecordOf<typeof dualControlPolicy>;

/** A person who administers, by name, with the public key that shows it (SubjectPublicKeyInfo in DER, P-256). */
export const administratorRecord = recordOf('administrator', {
  name: text,
  publicKey: octets,
  /** The principal of AWS that this person acts as (aws/principal.ts); none where the key alone is the person. */
  awsRole: optional(text),
  /** Milliseconds since 1970. */
  addedAt: whole,
  removedAt: optional(whole),
});

export type AdministratorRecord = RecordOf<typeof administratorRecord>;

/**
 * An action that waits for a second administrator. `waiting`: one asks. `approved`: another agrees. `begun`: it is being done, and
 * the same person may go on after a crash. `done`, `withdrawn`: it serves nothing any more.
 */
export const approvalRecord = recordOf('approval', {
  action: oneOf(...GUARDED_ACTIONS),
  /** What it is done to: a key URI, a fingerprint, a deployment. */
  subject: text,
  state: oneOf('waiting', 'approved', 'begun', 'done', 'withdrawn'),
  requestedBy: text,
  /** Compact JWS by the key of whoever asks, and of whoever agrees. */
  request: text,
  requestedAt: whole,
  /** The login of the console under which it was asked for: nobody agrees under the same one, by whatever key. */
  requestedLogin: optional(text),
  approvedBy: optional(text),
  approval: optional(text),
  approvedAt: optional(whole),
  begunBy: optional(text),
  /** Milliseconds since 1970: it serves nothing afterwards. */
  endsAt: whole,
});

export type ApprovalRecord = RecordOf<typeof approvalRecord>;
