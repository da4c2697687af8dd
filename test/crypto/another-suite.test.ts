import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { Suite } from '../../shared/crypto/suite.ts';
import { sign } from '../../sim/curve.ts';
import { encodeEuiccDataBatch, encodeOneTimeKeyTbs, type PersonalisedEuicc } from '../../sim/index.ts';
import { sourceTree } from '../architecture/source-tree.ts';

/**
 * Another suite is one row and one module: here the row comes from a test, and everything from the EUM's batch to the
 * opened package runs on it.
 */
async function houseWith() {
  vi.resetModules();
  vi.doMock('../../shared/crypto/suite-rows.ts', async (original) => {
    const { SUITE_ROWS } = await original<typeof import('../../shared/crypto/suite-rows.ts')>();
    const { TOY } = await import('../support/toy-suite.ts');
    return { SUITE_ROWS: [...SUITE_ROWS, TOY] satisfies readonly Suite[] };
  });
  return {
    ...(await import('../support/toy-suite.ts')),
    ...(await import('../support/deployment.ts')),
    ...(await import('../service/scenario.ts')),
    ...(await import('../../shared/codec/bytes.ts')),
    ...(await import('../../shared/codec/eid.ts')),
    ...(await import('../../shared/crypto/session-keys.ts')),
    ...(await import('../../shared/crypto/suite.ts')),
    ...(await import('../../shared/pki/certificate.ts')),
    ...(await import('../../shared/profile/open-bpp.ts')),
    ...(await import('../../shared/rsp/bound-profile-package.ts')),
    ...(await import('../../shared/rsp/initialise-secure-channel.ts')),
    ...(await import('../../shared/rsp/store-metadata.ts')),
    ...(await import('../../shared/service/records/euicc.ts')),
    ...(await import('../../shared/service/records/keys.ts')),
    ...(await import('../../cli/inspect/inspect.ts')),
  };
}

let house: Awaited<ReturnType<typeof houseWith>>;
let deployment: Awaited<ReturnType<(typeof house)['Deployment']['create']>>;

beforeAll(async () => {
  house = await houseWith();
  deployment = await house.Deployment.create({ memory: true });
});
afterAll(async () => {
  await deployment.close();
  vi.doUnmock('../../shared/crypto/suite-rows.ts');
  vi.resetModules();
});

/** A batch of the suite with one eUICC, whose certificates are on P-256 as ever. */
function batchOf(euicc: PersonalisedEuicc, keyId: Bytes, otPk: Bytes, oid = house.TOY.oid): Bytes {
  const hash = createHash('sha256').update(euicc.euiccInfo2).digest();
  const proof = sign(euicc.key, encodeOneTimeKeyTbs(euicc.eid, keyId, otPk, hash));
  return encodeEuiccDataBatch({
    batchId: randomBytes(16),
    ciPkId: deployment.eum.ciPkId,
    curve: oid,
    eumChain: [deployment.eum.ca.certificate],
    euiccInfo2: euicc.euiccInfo2,
    entries: [{ eid: euicc.eid, euiccCert: euicc.euiccCert, oneTimeKeys: [{ keyId, otPk, proof }] }],
    deviceManufacturers: [house.DEVICE_MAKER.identifier],
  });
}

const register = (batch: Bytes) => deployment.runtime.services.ingest.registerEuiccData(house.EUM, batch);

describe('a suite whose agreement is not Diffie-Hellman alone', () => {
  it('goes from the batch of the EUM to the opened package', async () => {
    const { TOY, toHex } = house;
    const euicc = deployment.eum.personalise({ keys: 0 });
    const pair = house.toyKeyPair();
    expect(await register(batchOf(euicc, randomBytes(16), pair.octets))).toMatchObject({ accepted: 1 });

    const { ledger } = deployment.runtime.context;
    const record = house.euiccRecord.from((await ledger.get(house.ledgerKeys.euicc(euicc.eid)))!);
    expect(record).toMatchObject({ suite: TOY.name, keys: [{ state: 'free' }] });
    expect(toHex(record.keys[0]!.otPk)).toBe(toHex(pair.octets));

    const [iccid] = await house.prepare(deployment, 'toy', 1);
    const answer = await new house.Request('toy', [{ eid: euicc.eid }]).send(deployment.runtime);
    expect(house.outcomesOf(answer)).toEqual(['bound']);
    const { bound } = house.boundOf(answer)[0]!;

    const bpp = house.decodeBoundProfilePackage(bound.bpp);
    const request = bpp.initialiseSecureChannelRequest;
    expect(request.ciphertext).toHaveLength(TOY.channel.ciphertext!.length);
    const [dp] = (await deployment.runtime.trust.current()).dpBindings;
    house.verifySmdpSign(request, pair.octets, dp!.publicKey);
    const agreed = pair.decapsulate(request.smdpOtpk, request.ciphertext!);
    const keys = house.deriveSessionKeys(TOY, agreed, request.hostId, house.encodeEid(euicc.eid));
    const opened = house.openBoundProfilePackage(bpp, keys);
    expect(house.decodeStoreMetadata(opened.storeMetadata).iccid).toBe(iccid);
    expect(opened.upp.length).toBeGreaterThan(0);

    const shown = JSON.stringify(house.inspect(bound.bpp));
    expect(shown).toContain('99 toy');
    expect(shown).toContain(toHex(request.ciphertext!));
    expect(shown).not.toContain('"error"');
  });

  it('knows its one-time keys by their identity', async () => {
    const pair = house.toyKeyPair();
    const [one, other] = [deployment.eum.personalise({ keys: 0 }), deployment.eum.personalise({ keys: 0 })];
    expect(await register(batchOf(one, randomBytes(16), pair.octets))).toMatchObject({ accepted: 1 });
    expect(await register(batchOf(other, randomBytes(16), pair.octets))).toMatchObject({
      rejected: [{ code: 'oneTimeKeyInUse' }],
    });
  });

  it('refuses what is no key of it, and the key of the eUICC certificate', async () => {
    const euicc = deployment.eum.personalise({ keys: 0 });
    const own = house.concat(euicc.key.point, Buffer.alloc(house.SEED_LENGTH));
    for (const otPk of [own, house.toyKeyPair().octets.subarray(1), euicc.key.point])
      expect(await register(batchOf(euicc, randomBytes(16), otPk))).toMatchObject({
        rejected: [{ code: 'oneTimeKeyInvalid' }],
      });
    const asPoint = batchOf(euicc, randomBytes(16), house.toyKeyPair().octets, house.TOY.curve.oid);
    expect(await register(asPoint)).toMatchObject({ rejected: [{ code: 'oneTimeKeyInvalid' }] });
  });

  it('is known to no file of the product', () => {
    const files = sourceTree('shared', 'cli', 'lambdas', 'lib', 'localstack', 'sim');
    expect(files.length).toBeGreaterThan(200);
    const signs = [house.TOY.name, house.TOY.oid, 'toy-suite', '0x5f4a', '5F4A'];
    expect(
      files.filter(({ text }) => signs.some((mark) => text.includes(mark))).map(({ path }) => path),
    ).toEqual([]);
  });
});

describe('the rows of suites', () => {
  it('are listed in one file, which the lookups alone read', () => {
    const readers = sourceTree('shared', 'cli', 'lambdas', 'lib', 'localstack').filter(({ text }) =>
      /\bSUITE_ROWS\b/.test(text),
    );
    expect(readers.map(({ path }) => path)).toEqual([
      'shared/crypto/suite-rows.ts',
      'shared/crypto/suite.ts',
    ]);
  });
});
