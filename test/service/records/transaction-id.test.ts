import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  jobIdOf,
  parseTransactionId,
  transactionId,
} from '../../../shared/service/records/transaction-id.ts';
import { expectRefusal } from '../../support/refusal.ts';

const jobs = fc.tuple(fc.string(), fc.string(), fc.string());

it('a transaction ID is the job and the index, and gives both back', () => {
  fc.assert(
    fc.property(jobs, fc.nat(0xffff_ffff), ([deployment, party, requestId], index) => {
      const jobId = jobIdOf(deployment, party, requestId);
      const id = transactionId(jobId, index);
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(parseTransactionId(id)).toEqual({ jobId, index });
    }),
  );
});

it('the first and the last index of a job have different transaction IDs of 16 octets', () => {
  const jobId = jobIdOf('test', '2.999.50', '0a');
  expect(transactionId(jobId, 0)).toBe(`${jobId}00000000`);
  expect(transactionId(jobId, 0xffff_ffff)).toBe(`${jobId}ffffffff`);
});

it('requests that differ in deployment, party or requestId are different jobs', () => {
  fc.assert(
    fc.property(jobs, jobs, (one, other) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      expect(jobIdOf(...one)).not.toBe(jobIdOf(...other));
    }),
  );
  // no two members run into each other
  expect(jobIdOf('a', 'bc', 'd')).not.toBe(jobIdOf('ab', 'c', 'd'));
  expect(jobIdOf('a', 'b","c', 'd')).not.toBe(jobIdOf('a', 'b', 'c","d'));
});

it.each(['', '00', '0'.repeat(31), '0'.repeat(33), 'g'.repeat(32), 'AB'.repeat(16), ` ${'0'.repeat(31)}`])(
  'a transaction ID that this server never gave is refused: "%s"',
  (id) => {
    expectRefusal('transactionUnknown', () => parseTransactionId(id));
  },
);
