import { describe, expect, it } from 'vitest';
import { Fault, Refusal } from '../../shared/errors.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import { callFailure } from '../../shared/gsma/failure.ts';
import { TransportRefusal } from '../../shared/gsma/transport-refusal.ts';

const incident = () => 'I-1';

describe('what a caller learns of an error', () => {
  it('a refusal gives its codes, subject and message', () => {
    const refusal = new Refusal('orderUnknown', 'no such order', {
      subjectIdentifier: 'ORD-1',
      cause: new Error('x'),
    });
    expect(callFailure(refusal, incident)).toEqual({
      httpStatus: 200,
      statusCodeData: {
        subjectCode: '8.8.5',
        reasonCode: '3.9',
        subjectIdentifier: 'ORD-1',
        message: 'no such order',
      },
      incident: undefined,
    });
  });

  it('a refusal below the function level gives its HTTP status as well', () => {
    expect(callFailure(new TransportRefusal(413, 'tooLarge', 'too large'), incident).httpStatus).toBe(413);
  });

  it.each([
    [new Fault('ledger', 'table orders-prod is locked by pid 7'), '4.2', 200, undefined],
    [new Fault('keyProviderThrottled', 'arn:aws:kms:key/7 throttled', { retryable: true }), '5.1', 503, 2],
    [new TypeError('cannot read K 00112233'), '4.2', 200, undefined],
    ['a thrown string', '4.2', 200, undefined],
    [undefined, '4.2', 200, undefined],
  ])('a fault of ours gives 1.2 with an incident and nothing from inside (%#)', (...of) => {
    const [error, reasonCode, httpStatus, retryAfterSeconds] = of;
    const failure = callFailure(error, incident);
    expect(failure).toMatchObject({ httpStatus, incident: 'I-1' });
    expect(failure.retryAfterSeconds).toBe(retryAfterSeconds);
    expect(failure.statusCodeData).toMatchObject({
      subjectCode: '1.2',
      reasonCode,
      subjectIdentifier: 'I-1',
    });
    if (error instanceof Error) expect(JSON.stringify(failure)).not.toContain(error.message);
  });
});

describe('what the log learns of an error', { tags: ['GENS10'] }, () => {
  it('keeps our own messages and only the names and places of others', () => {
    const cause = new SyntaxError('Unexpected token in {"k":"SECRET"}');
    const records = errorRecords(new Fault('ledger', 'cannot read the order', { cause }));
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({ name: 'Fault', code: 'ledger', message: 'cannot read the order' });
    expect(records[1]?.name).toBe('SyntaxError');
    expect(records[1]?.at[0]).toMatch(/^at /);
    expect(JSON.stringify(records)).not.toContain('SECRET');
  });

  it('keeps no line of a message that looks like a place in the code', () => {
    const [record] = errorRecords(new Error('first\n    at SECRET (a.ts:1:1)'));
    expect(JSON.stringify(record)).not.toContain('SECRET');
  });
});
