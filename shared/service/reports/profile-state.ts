import { refuse } from '../../errors.ts';
import type { ProfileState } from '../api/es2f.ts';
import type { ProfileRecord } from '../records/profile.ts';

/**
 * The life of one profile. Available, Bound and Delivered follow from the order's supply and the chunk commits; what
 * comes after is stored, one record per profile, and changes only as this table says.
 */
export type ProfileEvent =
  /** A success signed by the eUICC: wins over everything but a later deletion. */
  | 'installed'
  /** An error signed by the eUICC. */
  | 'failed'
  /** The FPA's word, which nobody signed: makes Unreported at most. */
  | 'unreported'
  /** A deletion signed by the eUICC: the device returns to stock, the profile never to the pool. */
  | 'deleted'
  /** The Operator closes a profile that was never bound. */
  | 'closed';

/** What is stored of a profile. */
type Settled = ProfileRecord['state'];

const TRANSITIONS: Readonly<Record<ProfileEvent, Readonly<Partial<Record<ProfileState, Settled>>>>> = {
  installed: {
    Bound: 'Installed',
    Delivered: 'Installed',
    Failed: 'Installed',
    Unreported: 'Installed',
    Closed: 'Installed',
    Installed: 'Installed',
    Deleted: 'Deleted',
  },
  failed: {
    Bound: 'Failed',
    Delivered: 'Failed',
    Unreported: 'Failed',
    Closed: 'Failed',
    Failed: 'Failed',
    Deleted: 'Deleted',
  },
  unreported: {
    Bound: 'Unreported',
    Delivered: 'Unreported',
    Unreported: 'Unreported',
    Installed: 'Installed',
    Failed: 'Failed',
    Deleted: 'Deleted',
    Closed: 'Closed',
  },
  deleted: {
    Bound: 'Deleted',
    Delivered: 'Deleted',
    Installed: 'Deleted',
    Failed: 'Deleted',
    Unreported: 'Deleted',
    Closed: 'Deleted',
    Deleted: 'Deleted',
  },
  closed: { Available: 'Closed', Closed: 'Closed' },
};

/** The state after the event; refuses what the table does not have. */
export function nextState(state: ProfileState, event: ProfileEvent): Settled {
  const next = TRANSITIONS[event][state];
  if (next !== undefined) return next;
  if (event === 'failed') refuse('resultContradicts', 'the eUICC signed a success for this profile before');
  return refuse('profileStateForbids', `a profile that is ${state} cannot become ${event}`);
}
