import { afterEach, beforeEach, expect, it } from 'vitest';
import { toHex } from '../../../shared/codec/bytes.ts';
import type { ChainedLine } from '../../../shared/service/api/admin.ts';
import { AUDIT_EVENTS } from '../../../shared/service/audit/events.ts';
import { repeatRestriction } from '../../../shared/service/restore/restrictions.ts';
import { SimCi } from '../../../sim/index.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterEach(() => deployment.close());

const repeat = (event: string, about: ChainedLine['about']) =>
  repeatRestriction(deployment.runtime.context, {
    sequence: 1,
    at: '2026-11-22T15:00:00.000Z',
    event,
    by: 'test',
    about,
    previous: '',
    hash: '',
  });
const trusted = async () => {
  const { cis, eums } = await deployment.runtime.trust.list();
  return { cis: cis.length, eums: eums.length };
};

it('restore takes trust away again from what the line names', async () => {
  expect(await trusted()).toEqual({ cis: 1, eums: 1 });
  expect(await repeat('trust.eum.revoked', { eum: toHex(deployment.eum.ca.keyId) })).toBe(true);
  expect(await repeat('trust.ci.removed', { ci: toHex(deployment.ci.keyId) })).toBe(true);
  expect(await trusted()).toEqual({ cis: 0, eums: 0 });
});

it('restore takes one certificate of a CI away again, and leaves the others of its key', async () => {
  const { ci, runtime } = deployment;
  const renamed = SimCi.create({ cn: 'Test CI', key: ci.key });
  const { besides } = await runtime.trustAdministration.addCi(
    renamed.certificate,
    { forSigning: true, forVerification: true },
    'test',
  );
  const about = { ci: toHex(ci.keyId), certificate: besides[0]!.sha256 };
  expect(await repeat('trust.ci.removed', about)).toBe(true);
  expect((await runtime.trust.list()).cis).toMatchObject([
    { subject: expect.stringContaining('CN=Test CI') },
  ]);
  expect(await repeat('trust.ci.removed', about)).toBe(true);
  expect(await trusted()).toEqual({ cis: 1, eums: 1 });
});

it('restore is content where the restored ledger never heard of it', async () => {
  expect(await repeat('party.revoked', { fingerprint: OPERATOR.fingerprint })).toBe(true);
  expect(await repeat('order.closed', { order: 'NEVER' })).toBe(true);
  expect(await repeat('keys.closed', { eid: '89033023000000000000000000000001', keys: 'ab cd' })).toBe(true);
});

it('restore leaves to the administrator a restriction whose line does not say what it took away', async () => {
  expect(await repeat('trust.eum.revoked', { name: `eum#${toHex(deployment.eum.ca.keyId)}` })).toBe(false);
  expect(await repeat('keys.closed', { eid: '8903', keys: 'ab' })).toBe(false);
  expect(await trusted()).toEqual({ cis: 1, eums: 1 });
});

it('restore leaves to the administrator what only a later release knows: it may have taken something away', async () => {
  expect(await repeat('trust.moon.revoked', { moon: 'Phobos' })).toBe(false);
});

it('restore leaves to the administrator exactly what the table of events says', async () => {
  const left: string[] = [];
  for (const [event, { onRestore }] of Object.entries(AUDIT_EVENTS))
    if (onRestore !== 'again' && !(await repeat(event, {}))) left.push(event);
  expect(left).toEqual(
    Object.entries(AUDIT_EVENTS).flatMap(([event, { onRestore }]) =>
      onRestore === 'administrator' ? [event] : [],
    ),
  );
  expect(left).toContain('party.added');
  expect(left).not.toContain('chunk.committed');
});
