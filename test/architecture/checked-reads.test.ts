import { expect, it } from 'vitest';
import { sourceTree } from './source-tree.ts';

/** Reads of a vault whose second argument is a stretch. */
const STRETCH = /vault\.get\(\s*[\w.]+,\s*\{/;

it('a stretch of an object is read through its hash; where not, what checks it is said here (I11)', {
  tags: ['I11'],
}, () => {
  const readers = sourceTree('shared', 'cli', 'console/server', 'lambdas')
    .filter(({ text }) => STRETCH.test(text))
    .map(({ path }) => path);
  expect(readers.toSorted()).toEqual([
    // the head of a batch; the whole of it is read and held against its SHA-256 before anything of it counts
    'shared/service/esed1/batch-frames.ts',
    // profiles, each opened by a PPK whose seal has its hash
    'shared/service/supply/packs.ts',
    'shared/vault/range-hash.ts',
  ]);
});

it('an object that belongs to what is bound or delivered is read where a damaged one raises an alarm (I11)', () => {
  const readers = sourceTree('shared/service')
    .filter(({ text }) => /vault\s*\.get\(/.test(text))
    .map(({ path }) => path);
  expect(readers.toSorted()).toEqual([
    // lines of the audit log, held against their chain
    'shared/service/audit/archive.ts',
    // a template that was uploaded, before there is an order
    'shared/service/es2f/order-uploads.ts',
    'shared/service/esed1/batch-frames.ts',
    // ends of the audit log that somebody else keeps, held against their signature
    'shared/service/evidence/outside-anchor.ts',
    'shared/service/life/checked-reads.ts',
    // by hand, while the ledger is frozen
    'shared/service/records/locked-records.ts',
    // whose vault it is, at the start
    'shared/service/restore/identity.ts',
    'shared/service/restore/orders.ts',
    'shared/service/supply/packs.ts',
    // held against the signature of its issuer
    'shared/service/trust/trust-loader.ts',
    // `smdpf verify`, which tells of what it finds itself
    'shared/service/verify/objects.ts',
  ]);
});
