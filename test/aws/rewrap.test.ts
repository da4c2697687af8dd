import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rewrapSlice } from '../../lambdas/keys/rewrap.ts';
import { decodeWrappedKey } from '../../shared/keys/wrapped-key.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { packRecord } from '../../shared/service/records/order.ts';
import { kmsEndpoint, useEmulatorCredentials } from '../keys/kms-emulator.ts';
import { boundOf, Request, registered } from '../service/scenario.ts';
import { awsSkipReason } from '../support/aws.ts';
import { Deployment, OPERATOR } from '../support/deployment.ts';
import { Bill, countedStores } from './counted-stores.ts';

const endpoint = kmsEndpoint();
const reason =
  awsSkipReason || (endpoint === undefined ? ' (skipped: SMDPF_TEST_KMS_ENDPOINT names none)' : '');
if (endpoint !== undefined) useEmulatorCredentials();
const PACKS = 4;
const ORDER = 'REWRAPPED';

describe.skipIf(reason !== '')(`data keys in DynamoDB under keys of KMS${reason}`, () => {
  it('move to a new key slice by slice, the old form destroyed, and profiles are bound all the same', async () => {
    const stores = await countedStores(new Bill());
    const deployment = await Deployment.create({ stores, config: { packSize: 5, chunkSize: 20 } });
    const { runtime } = deployment;
    const { keyAssignments, ledger, ppks } = runtime.context;
    const rotate = async () => {
      const uri = `awskms:alias=${randomUUID()};region=us-east-1;endpoint=${endpoint}`;
      const { uri: canonical } = await runtime.keys.generate(uri, 'aes-256', 'wrapping');
      await keyAssignments.assign('wrapping', canonical, 'test');
      return canonical;
    };
    const packs = async () =>
      Promise.all(
        Array.from({ length: PACKS }, async (_, pack) => {
          const { dataKey } = packRecord.from((await ledger.get(ledgerKeys.orderPack(ORDER, pack)))!);
          return { dataKey, keyUri: decodeWrappedKey((await ppks.header(dataKey))!).keyUri };
        }),
      );
    // a slice that ends after so many data keys
    const slice = (count: number) => {
      let clock = -1;
      return rewrapSlice(runtime.wrappingRotation, () => (120_000 / count) * ++clock);
    };
    try {
      const old = await rotate();
      await runtime.services.orders.prepareProfiles(
        OPERATOR,
        deployment.order(ORDER, PACKS * 5, ownTemplate()),
      );
      const before = await packs();
      expect(new Set(before.map(({ keyUri }) => keyUri))).toEqual(new Set([old]));

      const next = await rotate();
      expect(await slice(3)).toMatchObject({ moved: 2, stopped: true });
      expect(await runtime.wrappingRotation.remaining(old)).toBe(PACKS + 1 - 2);
      while ((await slice(3)).stopped);
      expect(await runtime.wrappingRotation.remaining(old)).toBe(0);
      expect(new Set((await packs()).map(({ keyUri }) => keyUri))).toEqual(new Set([next]));
      for (const { dataKey } of before) expect(await ppks.header(dataKey)).toBeUndefined();
      await runtime.wrappingRotation.retire(old, 'test');

      const euiccs = await registered(deployment, PACKS * 5);
      const request = new Request(
        ORDER,
        euiccs.map(({ eid }) => ({ eid })),
      );
      expect(boundOf(await request.send(runtime))).toHaveLength(PACKS * 5);
    } finally {
      await deployment.close();
    }
  });
});
