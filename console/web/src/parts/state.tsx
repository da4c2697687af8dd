import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

const TYPES: Readonly<Record<string, StatusIndicatorProps.Type>> = {
  // profiles
  Available: 'info',
  Bound: 'in-progress',
  Delivered: 'in-progress',
  Installed: 'success',
  Failed: 'error',
  Unreported: 'warning',
  Refused: 'error',
  Deleted: 'stopped',
  Closed: 'stopped',
  // orders
  Preparing: 'loading',
  Open: 'success',
  Cancelled: 'stopped',
  Rejected: 'error',
  // work
  Pending: 'in-progress',
  Done: 'success',
  // parties and trust
  valid: 'success',
  endsSoon: 'warning',
  expired: 'error',
  suspended: 'stopped',
  revoked: 'stopped',
  retired: 'stopped',
  stale: 'warning',
  missing: 'error',
  // approvals
  approved: 'success',
  begun: 'in-progress',
  done: 'success',
  withdrawn: 'stopped',
  over: 'stopped',
  // keys
  free: 'success',
  claimed: 'in-progress',
  bound: 'info',
  used: 'info',
  closed: 'stopped',
  // callbacks
  waiting: 'in-progress',
  parked: 'error',
  // health
  ok: 'success',
  ill: 'error',
};

/** A state by word, sign and colour. */
export const State = ({ of }: { readonly of: string }) => (
  <StatusIndicator type={TYPES[of] ?? 'info'}>{WORDS[of] ?? of}</StatusIndicator>
);

const WORDS: Readonly<Record<string, string>> = {
  endsSoon: 'ends soon',
  parked: 'given up',
  approved: 'agreed to',
  withdrawn: 'declined',
};
