import { DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { DynamoDbLedger } from '../../shared/ledger/dynamodb.ts';
import { openRuntime } from '../../shared/runtime.ts';
import { planRestore, restore } from '../../shared/service/restore/restore.ts';
import { DynamoDbPpkVault } from '../../shared/vault/dynamodb-ppk.ts';
import { S3Vault } from '../../shared/vault/s3.ts';
import { outcomesOf, positionsOf, prepare, Request, registered, triplesOf } from '../service/scenario.ts';
import { awsClientConfig, awsSkipReason, createStores, createTable } from '../support/aws.ts';
import { Deployment } from '../support/deployment.ts';

describe.skipIf(awsSkipReason !== '')(`a restored table${awsSkipReason}`, () => {
  const client = new DynamoDBClient(awsClientConfig);
  afterAll(() => client.destroy());

  /** What point-in-time recovery leaves: another table with the items of then. */
  async function restoreTable(from: string, to: string): Promise<void> {
    await createTable(client, to);
    for await (const { Items = [] } of paginateScan({ client }, { TableName: from, ConsistentRead: true }))
      for (const Item of Items) await client.send(new PutItemCommand({ TableName: to, Item }));
  }

  it('is frozen by its name, reconciled from the bucket, and binds nothing twice (I9)', async () => {
    const names = await createStores();
    const [before, after] = [names.ledger, `${names.ledger}-2`];
    const stores = (table: string) => ({
      ledger: DynamoDbLedger.open(table, { client }),
      vault: S3Vault.open(names.bucket, { config: awsClientConfig }),
      ppks: DynamoDbPpkVault.open(names.ppks, { client }),
    });
    const config = { chunkSize: 2, packSize: 4 };
    const deployment = await Deployment.create({
      stores: stores(before),
      config: { ...config, ledger: `dynamodb:${before}` },
    });
    try {
      const { runtime } = deployment;
      await prepare(deployment, 'ORD', 8);
      const euiccs = await registered(deployment, 4, { keys: 2 });
      const early = new Request('ORD', [{ eid: euiccs[0]!.eid }]);
      const asked = [{ request: early, answer: await early.send(runtime) }];
      await restoreTable(before, after);
      for (const n of [1, 2]) {
        const request = new Request('ORD', [{ eid: euiccs[n]!.eid }]);
        asked.push({ request, answer: await request.send(runtime) });
      }

      const restored = await openRuntime(
        { ...deployment.config, ledger: `dynamodb:${after}` },
        { stores: stores(after), keys: runtime.keys },
      );
      const more = new Request('ORD', [{ eid: euiccs[1]!.eid, additional: true }, { eid: euiccs[3]!.eid }]);
      await expect(more.send(restored)).rejects.toMatchObject({ code: 'ledgerFrozen' });
      const { unguarded, standing } = restored;
      expect(await planRestore(unguarded, standing)).toMatchObject({
        frozen: `the ledger is a copy of dynamodb:${before}, and was not reconciled`,
        commits: 2,
      });
      expect(await restore(unguarded, standing)).toMatchObject({
        commits: 2,
        bound: 2,
        problems: [],
        twice: [],
      });

      for (const { request, answer } of asked) expect(await request.send(restored)).toEqual(answer);
      const answer = await more.send(restored);
      expect(outcomesOf(answer)).toEqual(['bound', 'bound']);
      const all = [...asked.map((one) => one.answer), answer].flatMap(triplesOf);
      for (const member of [1, 2])
        expect(new Set(all.map((triple) => triple.split(' ')[member])).size).toBe(all.length);
      const { supply, returned, bound } = await positionsOf(restored, 'ORD');
      expect([...supply, ...returned, ...bound].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(bound).toHaveLength(5);
    } finally {
      await deployment.close();
    }
  });
});
