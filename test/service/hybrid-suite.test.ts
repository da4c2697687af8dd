import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concat, toHex } from '../../shared/codec/bytes.ts';
import { euiccRecord, keyOwner, keyOwnerKey } from '../../shared/service/records/euicc.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { sign } from '../../sim/curve.ts';
import { pairOf } from '../../sim/eum.ts';
import {
  decodeBppBatch,
  encodeEuiccDataBatch,
  encodeLoadPackage,
  encodeOneTimeKeyTbs,
  generateOneTimeKey,
  type PersonalisedEuicc,
  publicOctets,
  SoftEuicc,
  SUITES,
  type SuiteName,
  segmentBpp,
} from '../../sim/index.ts';
import { readResult, sendCommands } from '../sim/installer.ts';
import { DEVICE_MAKER, Deployment, EUM } from '../support/deployment.ts';
import { operational, outcomesOf, prepare, Request } from './scenario.ts';

const HYBRID = 'p256-mlkem768';

let deployment: Deployment;
let cautious: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { draftSuites: [HYBRID] } });
  cautious = await Deployment.create({ memory: true });
});
afterAll(async () => {
  await deployment.close();
  await cautious.close();
});

const made = (suite: SuiteName, keys = 1, { eum }: Deployment = deployment) =>
  eum.personalise({ suite, keys });

const registerAll = ({ eum, runtime }: Deployment, euiccs: readonly PersonalisedEuicc[]) =>
  runtime.services.ingest.registerEuiccData(
    EUM,
    eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] }),
  );

/** A batch of one eUICC whose one key is given as it is, with a proof over `proven`. */
function batchOf(
  euicc: PersonalisedEuicc,
  suite: SuiteName,
  otPk: Uint8Array,
  { proven = otPk, keyId = randomBytes(16) as Uint8Array } = {},
) {
  const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
  const proof = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, keyId, proven, hash));
  return encodeEuiccDataBatch({
    batchId: randomBytes(16),
    ciPkId: deployment.eum.ciPkId,
    curve: SUITES[suite].oid,
    eumChain: [deployment.eum.ca.certificate],
    euiccInfo2: euicc.euiccInfo2,
    entries: [{ eid: euicc.eid, euiccCert: euicc.euiccCert, oneTimeKeys: [{ keyId, otPk, proof }] }],
    deviceManufacturers: [DEVICE_MAKER.identifier],
  });
}

const registerBatch = (batch: Uint8Array) => deployment.runtime.services.ingest.registerEuiccData(EUM, batch);

/** What the soft eUICC makes of its item of the batch. */
function load(euicc: PersonalisedEuicc, batch: Uint8Array) {
  const { chains, items } = decodeBppBatch(batch);
  const { bound } = items.find(({ eid }) => eid === euicc.eid)!;
  const card = SoftEuicc.create(euicc);
  const chain = chains[bound!.chain]!;
  const commands = [encodeLoadPackage({ ...bound!, chain }), ...segmentBpp(bound!.bpp)];
  return readResult(sendCommands(card, commands), euicc.euiccCert);
}

describe('the hybrid suite', () => {
  it('is off unless the configuration allows it, on both paths', async () => {
    const euicc = made(HYBRID, 1, cautious);
    await expect(registerAll(cautious, [euicc])).rejects.toMatchObject({ code: 'securityConfiguration' });
    await prepare(cautious, 'forwarded', 1);
    const euiccData = cautious.eum.euiccDataBatch([euicc]);
    const answer = new Request('forwarded', [{ eid: euicc.eid }], { euiccData }).send(cautious.runtime);
    await expect(answer).rejects.toMatchObject({ code: 'securityConfiguration' });
  });

  it('is not bound any more once the configuration does not allow it', async () => {
    const euicc = made(HYBRID);
    await registerAll(deployment, [euicc]);
    await prepare(deployment, 'forbidden', 1);
    const { context } = deployment.runtime;
    const { settings } = context;
    Object.assign(context, { settings: { ...settings, draftSuites: [] } });
    try {
      const answer = await new Request('forbidden', [{ eid: euicc.eid }]).send(deployment.runtime);
      expect(outcomesOf(answer)).toEqual(['securityConfiguration']);
    } finally {
      Object.assign(context, { settings });
    }
  });

  it('is no suite that a configuration can misspell', async () => {
    await expect(Deployment.create({ memory: true, config: { draftSuites: ['mlkem'] } })).rejects.toThrow(
      /draftSuites: there is no suite mlkem; known are p256-mlkem768/,
    );
  });

  it('goes beside the classical one through one order, and all is installed', async () => {
    const euiccs = [made(HYBRID), made('p256'), made(HYBRID), made('p256')];
    for (const suite of [HYBRID, 'p256'] as const) {
      const kind = euiccs.filter(({ oneTimeKeys }) => oneTimeKeys[0]!.suite === suite);
      expect(await registerAll(deployment, kind)).toMatchObject({ accepted: 2, rejectedCount: 0 });
    }
    await prepare(deployment, 'mixed', 4, operational('8988211000000600000').order);
    const answer = await new Request(
      'mixed',
      euiccs.map(({ eid }) => ({ eid })),
    ).send(deployment.runtime);
    expect(outcomesOf(answer)).toEqual(['bound', 'bound', 'bound', 'bound']);
    for (const euicc of euiccs) expect(load(euicc, answer.bppBatch!)).toBe('installed');
  });

  it('comes with a request too (path B)', async () => {
    const euicc = made(HYBRID);
    await prepare(deployment, 'path-b', 1, operational('8988211000000610000').order);
    const euiccData = deployment.eum.euiccDataBatch([euicc]);
    const answer = await new Request('path-b', [{ eid: euicc.eid }], { euiccData }).send(deployment.runtime);
    expect(load(euicc, answer.bppBatch!)).toBe('installed');
  });

  it('can be demanded by an order, which then gives classical eUICCs nothing', async () => {
    const [hybrid, classical] = [made(HYBRID), made('p256')];
    await registerAll(deployment, [hybrid]);
    await registerAll(deployment, [classical]);
    await prepare(deployment, 'quantum-safe', 2, { eligibility: { suites: [HYBRID] } });
    const items = [{ eid: hybrid.eid }, { eid: classical.eid }];
    const answer = await new Request('quantum-safe', items).send(deployment.runtime);
    expect(outcomesOf(answer)).toEqual(['bound', 'notEligible']);
  });
});

describe('no silent downgrade', () => {
  it('keys of another suite are refused for an EID that has hybrid ones, and the other way round', async () => {
    for (const [first, second] of [
      [HYBRID, 'p256'],
      ['p256', HYBRID],
    ] as const) {
      const euicc = made(first);
      expect(await registerAll(deployment, [euicc])).toMatchObject({ accepted: 1 });
      const other = publicOctets(generateOneTimeKey(second));
      expect(await registerBatch(batchOf(euicc, second, other))).toMatchObject({
        accepted: 0,
        rejected: [{ eid: euicc.eid, code: 'securityConfiguration' }],
      });
    }
  });

  it('whoever strips the encapsulation key breaks the proof', async () => {
    const euicc = made(HYBRID);
    const { key, kemSeed } = euicc.oneTimeKeys[0]!;
    const whole = publicOctets(pairOf({ suite: HYBRID, key, kemSeed: kemSeed! }));
    const asClassical = await registerBatch(batchOf(euicc, 'p256', key.point, { proven: whole }));
    expect(asClassical).toMatchObject({ rejected: [{ code: 'oneTimeKeyProofInvalid' }] });
    const exchanged = concat(key.point, publicOctets(generateOneTimeKey(HYBRID)).subarray(65));
    const withOther = await registerBatch(batchOf(euicc, HYBRID, exchanged, { proven: whole }));
    expect(withOther).toMatchObject({ rejected: [{ code: 'oneTimeKeyProofInvalid' }] });
  });

  it.each([
    ['a point alone', (key: Uint8Array) => key.subarray(0, 65)],
    ['one octet less', (key: Uint8Array) => key.subarray(0, -1)],
    ['an encapsulation key alone', (key: Uint8Array) => key.subarray(65)],
    ['coefficients that are not below q', (key: Uint8Array) => key.fill(0xff, 65, 65 + 1152)],
    ['a point that is not on the curve', (key: Uint8Array) => key.fill(1, 1, 65)],
  ])('%s is no hybrid key, however well it is proven', async (_, change) => {
    const euicc = made(HYBRID);
    const otPk = change(publicOctets(generateOneTimeKey(HYBRID)));
    expect(await registerBatch(batchOf(euicc, HYBRID, otPk))).toMatchObject({
      accepted: 0,
      rejected: [{ code: 'oneTimeKeyInvalid' }],
    });
  });

  it('a key longer than that of any suite is not read', async () => {
    const otPk = concat(publicOctets(generateOneTimeKey(HYBRID)), Uint8Array.of(0));
    expect(await registerBatch(batchOf(made(HYBRID), HYBRID, otPk))).toMatchObject({
      rejected: [{ code: 'protocolFormat' }],
    });
  });

  it('the key of the eUICC’s certificate is no one-time key, whatever stands beside it', async () => {
    const euicc = made(HYBRID);
    const otPk = concat(euicc.key.point, publicOctets(generateOneTimeKey(HYBRID)).subarray(65));
    expect(await registerBatch(batchOf(euicc, HYBRID, otPk))).toMatchObject({
      rejected: [{ code: 'oneTimeKeyInvalid' }],
    });
  });
});

describe('a hybrid key is registered once', () => {
  it('its point serves no other eUICC, alone or beside another encapsulation key', async () => {
    const owner = made(HYBRID);
    await registerAll(deployment, [owner]);
    const { point } = owner.oneTimeKeys[0]!.key;
    const beside = concat(point, publicOctets(generateOneTimeKey(HYBRID)).subarray(65));
    for (const [suite, otPk] of [
      ['p256', point],
      [HYBRID, beside],
    ] as const)
      expect(await registerBatch(batchOf(made(suite), suite, otPk))).toMatchObject({
        rejected: [{ code: 'oneTimeKeyInUse' }],
      });
  });

  it('the same keyId and point with another encapsulation key is another key', async () => {
    const euicc = made(HYBRID);
    await registerAll(deployment, [euicc]);
    const [{ keyId, key }] = euicc.oneTimeKeys as [PersonalisedEuicc['oneTimeKeys'][number]];
    const otPk = concat(key.point, publicOctets(generateOneTimeKey(HYBRID)).subarray(65));
    expect(await registerBatch(batchOf(euicc, HYBRID, otPk, { keyId }))).toMatchObject({
      rejected: [{ code: 'oneTimeKeyInUse' }],
    });
    expect(await registerAll(deployment, [euicc])).toMatchObject({ accepted: 1 });
  });

  it('stands where it is written once: the eUICC’s record, written by each claim, has its points alone', async () => {
    const euicc = made(HYBRID, 3);
    await registerAll(deployment, [euicc]);
    const { ledger } = deployment.runtime.context;
    const record = euiccRecord.from((await ledger.get(ledgerKeys.euicc(euicc.eid)))!);
    expect(record.suite).toBe(HYBRID);
    for (const [i, key] of euicc.oneTimeKeys.entries()) {
      const whole = publicOctets(pairOf(key));
      expect(toHex(record.keys[i]!.otPk)).toBe(toHex(whole.subarray(0, 65)));
      const owner = await ledger.get(keyOwnerKey(HYBRID, toHex(key.key.point.subarray(1, 33))));
      expect(toHex(keyOwner.from(owner!).otPkRest!)).toBe(toHex(whole.subarray(65)));
    }
  });
});
