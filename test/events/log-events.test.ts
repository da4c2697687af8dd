import { expect, it } from 'vitest';
import { Fault, Refusal } from '../../shared/errors.ts';
import { messageOf, ownText } from '../../shared/events/error-record.ts';
import { LOG_EVENTS, type LogRecord, lineOf } from '../../shared/events/log-events.ts';

it('a line has level, event and the members of its event, and nothing that came with them', () => {
  const record: LogRecord = { event: 'job.slowed', job: 'J', chunk: 1, times: 2, waitedMs: 30 };
  const line = lineOf({ ...record, sessionKey: 'SECRET-7f3a' } as LogRecord);
  expect(line).toEqual({ level: 'info', ...record });
});

it('a line of an event that nobody has named does not compile', () => {
  // @ts-expect-error: a typing error in the event
  const record: LogRecord = { event: 'job.slow', job: 'J', chunk: 1, times: 2, waitedMs: 30 };
  expect(() => lineOf(record)).toThrow(TypeError);
});

it('text that this server did not write does not compile', () => {
  // @ts-expect-error: the message of any error may quote what was being worked on
  const record: LogRecord = { event: 'audit.delayed', message: new Error('quotes a key').message };
  expect(lineOf(record).event).toBe('audit.delayed');
  expect(lineOf({ event: 'audit.delayed', message: ownText('of ours') }).message).toBe('of ours');
});

it('of an error that is not ours the log has the name, and a system code or a place', () => {
  expect(messageOf(new Fault('ledger', 'the disk is full'))).toBe('the disk is full');
  expect(messageOf(new Refusal('eidUnknown', 'no data'))).toBe('no data');
  const refused = Object.assign(new Error('connect to SECRET'), { code: 'ECONNREFUSED' });
  expect(messageOf(refused)).toBe('Error ECONNREFUSED');
  expect(messageOf(new TypeError('SECRET'))).toMatch(/^TypeError at .*log-events\.test\.ts/);
  expect(messageOf('SECRET')).toBe('unknown');
});

it('what people must look at is a warning, begins with `alarm.` and says what to do', () => {
  for (const [event, row] of Object.entries(LOG_EVENTS)) {
    expect(row.level === 'warn', event).toBe(event.startsWith('alarm.'));
    expect('todo' in row, event).toBe(row.level !== 'info');
  }
});
