import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Claim, TransferSigner } from '../../shared/vault/transfer.ts';
import { expectRefusal } from '../support/refusal.ts';

const signer = new TransferSigner(randomBytes(32));
const NOW = new Date('2026-01-01T00:00:00Z');
const expiresAtSeconds = NOW.getTime() / 1000 + 60;
const content = { name: 'a', size: 3, sha256: '00'.repeat(32) };

it.each<Claim>([
  { operation: 'download', ref: { ...content, version: '1' }, expiresAtSeconds },
  { operation: 'upload', ...content, expiresAtSeconds },
])('the claim of a transfer token comes back as it was signed: $operation', (claim) => {
  expect(signer.verify(signer.sign(claim), NOW)).toEqual(claim);
});

it.each<[string, unknown]>([
  ['that is no object', 'download'],
  ['without an end', { operation: 'upload', ...content }],
  ['to do something else', { operation: 'remove', ...content, expiresAtSeconds }],
  ['to download nothing', { operation: 'download', expiresAtSeconds }],
  ['to download no version', { operation: 'download', ref: content, expiresAtSeconds }],
  ['to upload without a hash', { operation: 'upload', name: 'a', size: 3, expiresAtSeconds }],
])('a transfer token with a claim %s is refused, though this server signed it', (_which, claim) => {
  expectRefusal('transferInvalid', () => signer.verify(signer.sign(claim as Claim), NOW));
});
