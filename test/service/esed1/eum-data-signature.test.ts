import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { CURVES, toSpki } from '../../../shared/crypto/curves.ts';
import { decodeEuiccDataBatch } from '../../../shared/ifpp-draft1/euicc-data-batch.ts';
import { readEuiccDataStart, scanEuiccDataBatch } from '../../../shared/ifpp-draft1/euicc-data-scan.ts';
import { present } from '../../../shared/present.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { type EcKey, encodeBppRequest, generateKey } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';

let deployment: Deployment;
const makers = { deviceManufacturers: [DEVICE_MAKER.identifier] };

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  const { orders } = deployment.runtime.services;
  await orders.prepareProfiles(OPERATOR, deployment.order('ORD-1', 20, ownTemplate()));
});
afterAll(() => deployment?.close());

/** With these terms alone: a data key that is not mentioned would stay. */
const allow = async (dataKey?: EcKey, dataSignature?: 'required' | 'optional') => {
  await deployment.runtime.trustAdministration.revokeEum(toHex(deployment.eum.ca.keyId), 'test');
  const registered =
    dataKey === undefined
      ? {}
      : {
          dataKey: toSpki(CURVES.find(({ name }) => name === dataKey.curve)!.publicKey(dataKey.point)),
          ...present({ dataSignature }),
        };
  return deployment.runtime.trustAdministration.allowEum(
    deployment.eum.ca.certificate,
    { party: EUM.identifier, ...registered },
    'test',
  );
};

const PATHS: readonly [string, (batch: Bytes) => Promise<number>][] = [
  ['A', async (batch) => (await deployment.runtime.services.ingest.registerEuiccData(EUM, batch)).accepted],
  [
    'B',
    async (euiccData) => {
      const { delivery } = deployment.runtime.services;
      const items = decodeEuiccDataBatch(euiccData).entries.map((entry, itemId) => ({
        itemId,
        eid: Buffer.from(entry).subarray(entry.indexOf(0x80, 1)).subarray(2, 18).toString('hex'),
      }));
      const requestId = randomBytes(8);
      const request = encodeBppRequest({ requestId, orderId: 'ORD-1', euiccData, items });
      const { failed, items: count } = await delivery.requestBpp(DEVICE_MAKER, request);
      return count - failed.length;
    },
  ],
];

describe.each(PATHS)('eumDataSignature on path %s', { tags: ['DPFF10', 'MCE02'] }, (_, send) => {
  const batchOf = (dataKey?: EcKey) =>
    deployment.eum.euiccDataBatch([deployment.eum.personalise(), deployment.eum.personalise()], {
      ...makers,
      ...(dataKey && { dataKey }),
    });

  it.each(['p256', 'brainpoolP256r1', 'frp256v1'] as const)(
    'that holds is taken, by a key on %s',
    async (curve) => {
      const key = generateKey(curve);
      await allow(key);
      expect(await send(batchOf(key))).toBe(2);
    },
  );

  it('is needed once a data key is registered: nobody can take it off and name other device manufacturers', async () => {
    const key = generateKey('p256');
    const euiccs = [deployment.eum.personalise(), deployment.eum.personalise()];
    const other = { deviceManufacturers: ['2.999.51'] };
    await allow(key);
    for (const rewritten of [makers, other, {}]) {
      const stripped = deployment.eum.euiccDataBatch(euiccs, rewritten);
      expect(await refusalOf(send(stripped))).toMatchObject({ code: 'mandatoryElementMissing' });
    }
    expect(await send(deployment.eum.euiccDataBatch(euiccs, { ...makers, dataKey: key }))).toBe(2);
  });

  it('is not needed where it is allowed to be absent, or no data key is registered', async () => {
    await allow(generateKey('p256'), 'optional');
    expect(await send(batchOf())).toBe(2);
    await allow();
    expect(await send(batchOf())).toBe(2);
  });

  it('by another key, or over other octets, refuses the batch', async () => {
    const key = generateKey('p256');
    await allow(key);
    expect(await refusalOf(send(batchOf(generateKey('p256'))))).toMatchObject({
      code: 'eumCertificateInvalid',
    });
    const maker = Buffer.from(DEVICE_MAKER.identifier);
    for (const at of [(batch: Buffer) => batch.length - 1, (batch: Buffer) => batch.lastIndexOf(maker)]) {
      const changed = Buffer.from(batchOf(key));
      const place = at(changed);
      changed[place] = changed[place]! ^ 1;
      expect(await refusalOf(send(changed))).toMatchObject({ code: 'eumCertificateInvalid' });
    }
  });

  it('refuses the batch where no data key is registered: a check that cannot be made is not passed', async () => {
    await allow();
    expect(await refusalOf(send(batchOf(generateKey('p256'))))).toMatchObject({ code: 'eumNotAllowed' });
  });
});

it('eumDataSignature is read from a stream with the octets that it covers, however they are cut into pieces', async () => {
  const batch = deployment.eum.euiccDataBatch(
    Array.from({ length: 5 }, () => deployment.eum.personalise()),
    { ...makers, dataKey: generateKey('p256') },
  );
  const { signed, eumDataSignature } = decodeEuiccDataBatch(batch);
  for (const size of [1, 7, 1_000, batch.length]) {
    async function* pieces() {
      for (let at = 0; at < batch.length; at += size) yield batch.subarray(at, at + size);
    }
    const seen: Bytes[] = [];
    const { entriesAt } = readEuiccDataStart(batch, batch.length);
    const frame = await scanEuiccDataBatch(pieces(), entriesAt, 2, (piece) => seen.push(piece));
    expect(Buffer.concat(seen).equals(signed)).toBe(true);
    expect(frame).toMatchObject({ entries: 5, eumDataSignature });
  }
});
