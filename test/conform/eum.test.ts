import { beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../conform/conformity.ts';
import { conformEum } from '../../conform/eum/eum.ts';
import { EUM_RULES } from '../../conform/eum/rules.ts';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { encodeSpki } from '../../sim/curve.ts';
import { readAll, readTlv } from '../../sim/tlv.ts';
import { Deployment, EUM } from '../support/deployment.ts';
import { EUM_FAULTS, Production } from './eum-faults.ts';

let production: Production;

beforeAll(() => {
  production = new Production();
});

const judge = (batch: Bytes): readonly Check[] =>
  conformEum({ batch, cis: [production.ci.certificate], dataKey: production.dataKey, now: new Date() });

const failed = (checks: readonly Check[]) => checks.filter(({ result }) => result === 'failed');

/** What the signature of a batch has to cover: fields 0 to 7. */
const signedFields = (batch: Bytes): string =>
  readAll(readTlv(batch).value)
    .filter(({ tag }) => tag !== 0x88)
    .map(({ raw }) => toHex(raw))
    .join('');

it('a batch as the EUM of sim/ writes it passes every check', () => {
  const checks = judge(production.write());
  expect(failed(checks)).toEqual([]);
  expect(checks.filter(({ result }) => result === 'skipped')).toEqual([]);
  expect(checks.map(({ id }) => id)).toEqual(Object.keys(EUM_RULES));
});

describe('a batch with one fault', () => {
  it('is tried with twelve faults and more', () => {
    expect(EUM_FAULTS.length).toBeGreaterThanOrEqual(12);
  });

  it.each(EUM_FAULTS)('$what: the rule $rule is named', ({ rule, tells, signs, batch }) => {
    const octets = batch(production);
    const checks = failed(judge(octets));
    const check = checks.find(({ id }) => id === rule);
    expect(check, JSON.stringify(checks)).toBeDefined();
    expect(check!.findings[0]!.seen).toMatch(tells);
    expect(check).toMatchObject({
      document: expect.stringMatching(/./),
      section: expect.stringMatching(/./),
    });
    if (signs === 'proof') expect(check!.findings[0]!.expected).toContain(toHex(production.tbs));
    if (signs === 'signature') expect(check!.findings[0]!.expected).toContain(signedFields(octets));
  });

  it('no other rule is named for a fault in a proof', () => {
    for (const { what, rule, batch } of EUM_FAULTS.filter(({ signs }) => signs !== undefined))
      expect([what, failed(judge(batch(production))).map(({ id }) => id)]).toEqual([what, [rule]]);
  });
});

it('what is named as a fault the server refuses, and what passes it takes', async () => {
  const deployment = await Deployment.create({ memory: true });
  const { trustAdministration, services } = deployment.runtime;
  const own = new Production(deployment.ci, deployment.eum);
  try {
    await trustAdministration.allowEum(
      own.eum.ca.certificate,
      { party: EUM.identifier, dataKey: encodeSpki(own.dataKey) },
      'test',
    );
    for (const { what, batch } of EUM_FAULTS) {
      const outcome = await services.ingest.registerEuiccData(EUM, batch(own)).then(
        ({ rejected }) => rejected.length,
        () => 'refused',
      );
      expect([what, outcome]).not.toEqual([what, 0]);
    }
    const clean = await services.ingest.registerEuiccData(EUM, own.write());
    expect(clean).toMatchObject({ accepted: 3, rejected: [] });
  } finally {
    await deployment.close();
  }
});
