import { randomBytes, randomUUID } from 'node:crypto';
import { DeleteTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoDbPpkVault } from '../../shared/vault/dynamodb-ppk.ts';
import { awsClientConfig, awsSkipReason, createTable } from '../support/aws.ts';
import { ppkVaultContract } from './contract.ts';

describe.skipIf(awsSkipReason !== '')(`DynamoDB PPK vault${awsSkipReason}`, () => {
  const table = `ppk-${randomUUID()}`;
  const client = new DynamoDBClient(awsClientConfig);
  beforeAll(() => createTable(client, table, 'pack', 'part'));
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName: table }));
    client.destroy();
  });

  ppkVaultContract('DynamoDB PPK vault', async () => DynamoDbPpkVault.open(table, { client }));

  const itemsOf = async (pack: string) => {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
    return Items.filter((item) => item.pack!.S === pack);
  };

  it('destroyed entries are in no item; whole groups leave no item', async () => {
    const vault = DynamoDbPpkVault.open(table, { client });
    const entries = Array.from({ length: 250 }, () => randomBytes(76));
    await vault.putPack('pack', randomBytes(64), entries);
    await vault.destroy('pack', entries.map((_, i) => i).slice(6));
    const items = await itemsOf('pack');
    expect(items).toHaveLength(2);
    const left = items
      .flatMap((item) => Object.values(item))
      .flatMap(({ B }) => (B ? [Buffer.from(B).toString('hex')] : []));
    expect(left.filter((hex) => hex.length === 152).sort()).toEqual(
      entries
        .slice(0, 6)
        .map((e) => e.toString('hex'))
        .sort(),
    );
    await vault.destroyPack('pack');
    expect(await itemsOf('pack')).toEqual([]);
  });

  it('an item of twelve entries of 76 octets is one write unit', async () => {
    const vault = DynamoDbPpkVault.open(table, { client });
    const pack = `packs/${randomUUID()}`;
    await vault.putPack(
      pack,
      randomBytes(64),
      Array.from({ length: 12 }, () => randomBytes(76)),
    );
    for (const item of await itemsOf(pack)) {
      const sizes = Object.entries(item).map(([name, { S, N, B }]) => name.length + (S ?? N ?? B)!.length);
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(1024);
    }
  });

  it('packs put at once leave items of one attempt only', async () => {
    const vault = DynamoDbPpkVault.open(table, { client });
    const packs = Array.from({ length: 5 }, () => Array.from({ length: 24 }, () => randomBytes(76)));
    await Promise.all(packs.map((entries) => vault.putPack('race', randomBytes(8), entries)));
    expect(await itemsOf('race')).toHaveLength(3);
  });
});
