/** Of a Certificate (shared/pki): milliseconds since 1970, `notAfterMs` being the last second of validity. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface ExpiryNotice<T extends Validity> {
  readonly certificate: T;
  readonly state: 'notYetValid' | 'expired' | 'urgent' | 'soon';
  /** Whole days until notAfter, rounded down; negative once it is past. */
  readonly daysLeft: number;
}

export interface ExpiryLimits {
  readonly soonDays: number;
  readonly urgentDays: number;
}

/** A new DPpb certificate takes the CI some weeks. */
const EXPIRY_LIMITS: ExpiryLimits = { soonDays: 90, urgentDays: 21 };

const DAY = 24 * 60 * 60 * 1000;

/** What is to be said about certificates at a time in milliseconds since 1970, what ends first coming first. */
export function expiryNotices<T extends Validity>(
  certificates: readonly T[],
  atMs: number,
  limits: ExpiryLimits = EXPIRY_LIMITS,
): ExpiryNotice<T>[] {
  return certificates
    .flatMap((certificate) => {
      const daysLeft = Math.floor((certificate.notAfterMs - atMs) / DAY);
      const state = stateOf(certificate, atMs, daysLeft, limits);
      return state === undefined ? [] : [{ certificate, state, daysLeft }];
    })
    .sort((a, b) => a.certificate.notAfterMs - b.certificate.notAfterMs);
}

function stateOf(
  { notBeforeMs, notAfterMs }: Validity,
  atMs: number,
  daysLeft: number,
  { soonDays, urgentDays }: ExpiryLimits,
): ExpiryNotice<Validity>['state'] | undefined {
  if (atMs >= notAfterMs + 1000) return 'expired';
  if (atMs < notBeforeMs) return 'notYetValid';
  if (daysLeft < urgentDays) return 'urgent';
  if (daysLeft < soonDays) return 'soon';
  return undefined;
}
