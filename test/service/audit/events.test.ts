import { expect, it } from 'vitest';
import {
  AUDIT_EVENTS,
  isAbout,
  isAuditEvent,
  type RestoredBy,
} from '../../../shared/service/audit/events.ts';
import { auditWrite } from '../../../shared/service/audit/line.ts';

const order = { order: 'ORD-1' };

it('an audit line of an event that nobody has named is no line', () => {
  // @ts-expect-error: a typing error in the event
  expect(() => auditWrite({ event: 'order.canceled', by: 'test', about: order }, 'id', 0)).toThrow(TypeError);
});

it('an audit line says everything that its event is about', { tags: ['I8'] }, () => {
  // @ts-expect-error: quantity is missing
  auditWrite({ event: 'order.prepared', by: 'test', about: order }, 'id', 0);
  // @ts-expect-error: quantity is a number
  auditWrite({ event: 'order.prepared', by: 'test', about: { ...order, quantity: '8' } }, 'id', 0);
});

it('an audit line has no room for anything that its event does not name, when compiled and when run', () => {
  const secret = { ...order, ppk: '00112233' };
  // @ts-expect-error: the event has no such member
  const write = auditWrite({ event: 'order.closed', by: 'test', about: secret }, 'id', 0);
  expect(write).toMatchObject({ attributes: { about: order } });
  expect(JSON.stringify(write)).not.toContain('00112233');
});

it('a member of an audit line that may be missing leaves nothing behind', () => {
  const about = { function: 'esbpp.requestBpp', subjectCode: '8.1', reasonCode: '3.9', call: undefined };
  expect(auditWrite({ event: 'call.refused', by: 'test', about }, 'id', 0)).toHaveProperty(
    'attributes.about',
    { function: 'esbpp.requestBpp', subjectCode: '8.1', reasonCode: '3.9' },
  );
});

it('a stored audit line is read by the members of its event', () => {
  const eid = '89033023000000000000000000000001';
  expect(isAbout('trust.euicc.revoked', { eid })).toBe(true);
  expect(isAbout('trust.euicc.revoked', { eid, added: 'by a later release' })).toBe(true);
  expect(isAbout('trust.euicc.revoked', { eid: '8903' })).toBe(false);
  expect(isAbout('trust.euicc.revoked', {})).toBe(false);
  expect(isAbout('trust.policy.set', { missing: 'refuse', expired: 'ignore' })).toBe(false);
});

it('a name that every object has is no audit event', () => {
  expect(isAuditEvent('order.closed')).toBe(true);
  for (const name of ['constructor', 'toString', '__proto__', '']) expect(isAuditEvent(name)).toBe(false);
});

it('the audit events that take something away are those that restore takes away again', () => {
  const again: readonly RestoredBy<'again'>[] = [
    'keys.closed',
    'order.cancelled',
    'order.closed',
    'party.revoked',
    'trust.ci.removed',
    'trust.euicc.revoked',
    'trust.eum.revoked',
  ];
  const rows = Object.entries(AUDIT_EVENTS).filter(([, { onRestore }]) => onRestore === 'again');
  expect(rows.map(([event]) => event).sort()).toEqual([...again]);
});
