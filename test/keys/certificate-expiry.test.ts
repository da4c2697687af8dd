import { expect, test } from 'vitest';
import { expiryNotices } from '../../shared/keys/certificate-expiry.ts';

const now = Date.UTC(2026, 5, 1);
const certificate = (from: string, until: string) => ({
  notBeforeMs: Date.parse(`${from}T00:00:00Z`),
  notAfterMs: Date.parse(`${until}T23:59:59Z`),
});

test('certificates are named from 90 days before their end, urgently from 21, the first to end first', () => {
  const fine = certificate('2026-01-01', '2026-12-31');
  const soon = certificate('2026-01-01', '2026-08-01');
  const urgent = certificate('2026-01-01', '2026-06-20');
  const expired = certificate('2025-01-01', '2026-05-30');
  const early = certificate('2026-07-01', '2027-07-01');
  const notices = expiryNotices([fine, early, soon, expired, urgent], now);
  expect(notices).toEqual([
    { certificate: expired, state: 'expired', daysLeft: -2 },
    { certificate: urgent, state: 'urgent', daysLeft: 19 },
    { certificate: soon, state: 'soon', daysLeft: 61 },
    { certificate: early, state: 'notYetValid', daysLeft: 395 },
  ]);
});

test('the second of notAfter belongs to the validity of a certificate', () => {
  const certificates = [certificate('2026-01-01', '2026-05-31')];
  const limits = { soonDays: 0, urgentDays: 0 };
  expect(expiryNotices(certificates, Date.parse('2026-05-31T23:59:59.999Z'), limits)[0]?.state).not.toBe(
    'expired',
  );
  expect(expiryNotices(certificates, Date.parse('2026-06-01T00:00:00Z'), limits)[0]?.state).toBe('expired');
});

test('the end of an eUICC certificate in the year 7496 is a date like others', () => {
  expect(expiryNotices([certificate('2020-01-01', '7496-01-28')], now)).toEqual([]);
});
