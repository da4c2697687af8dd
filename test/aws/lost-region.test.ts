import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { DynamoDbLedger } from '../../shared/ledger/dynamodb.ts';
import { scanAll } from '../../shared/ledger/scan.ts';
import { openRuntime, type Runtime } from '../../shared/runtime.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';
import { partitions } from '../../shared/service/records/keys.ts';
import { restore } from '../../shared/service/restore/restore.ts';
import { DynamoDbPpkVault } from '../../shared/vault/dynamodb-ppk.ts';
import { S3Vault } from '../../shared/vault/s3.ts';
import type {
  ByteRange,
  LinkHolder,
  ObjectRef,
  PutOptions,
  UploadLink,
  Vault,
} from '../../shared/vault/vault.ts';
import { outcomesOf, prepare, Request, registered, triplesOf } from '../service/scenario.ts';
import { awsClientConfig, awsSkipReason, createStores, createTable } from '../support/aws.ts';
import { Deployment } from '../support/deployment.ts';
import { PASSPHRASE, sharedSoftkey } from '../support/softkeys.ts';

const FURTHER = { ...awsClientConfig, region: 'eu-west-1' };

/**
 * The replica of a bucket in another region. S3 keeps the IDs of versions when it replicates; no emulator does, so this one
 * calls its own versions by the names of the first.
 */
class Replica implements Vault {
  readonly #own: Vault;
  readonly #ownOf = new Map<string, string>();
  readonly #firstOf = new Map<string, string>();

  constructor(own: Vault) {
    this.#own = own;
  }

  /** What replication does, of the versions that there are now. */
  async replicate(from: Vault): Promise<number> {
    let count = 0;
    for await (const ref of from.list('')) {
      const { version } = await this.#own.put(ref.name, await from.get(ref));
      this.#ownOf.set(`${ref.name} ${ref.version}`, version);
      this.#firstOf.set(`${ref.name} ${version}`, ref.version);
      count += 1;
    }
    return count;
  }

  readonly #here = (ref: ObjectRef): ObjectRef => ({
    ...ref,
    version: this.#ownOf.get(`${ref.name} ${ref.version}`) ?? ref.version,
  });
  readonly #there = (ref: ObjectRef): ObjectRef => ({
    ...ref,
    version: this.#firstOf.get(`${ref.name} ${ref.version}`) ?? ref.version,
  });

  async put(name: string, body: Bytes, options?: PutOptions): Promise<ObjectRef> {
    return this.#there(await this.#own.put(name, body, options));
  }
  async putStream(name: string, body: AsyncIterable<Bytes>): Promise<ObjectRef> {
    return await this.#own.putStream(name, body);
  }
  get(ref: ObjectRef, range?: ByteRange): Promise<Bytes> {
    return this.#own.get(this.#here(ref), range);
  }
  getStream(ref: ObjectRef): AsyncIterable<Bytes> {
    return this.#own.getStream(this.#here(ref));
  }
  async head(name: string): Promise<ObjectRef | undefined> {
    const ref = await this.#own.head(name);
    return ref && this.#there(ref);
  }
  async *list(prefix: string): AsyncGenerator<ObjectRef> {
    for await (const ref of this.#own.list(prefix)) yield this.#there(ref);
  }
  names(prefix: string): AsyncIterable<string> {
    return this.#own.names(prefix);
  }
  remove(name: string): Promise<void> {
    return this.#own.remove(name);
  }
  downloadUrl(ref: ObjectRef, seconds: number, holder?: LinkHolder): Promise<string> {
    return this.#own.downloadUrl(this.#here(ref), seconds, holder);
  }
  uploadLink(...args: Parameters<Vault['uploadLink']>): Promise<UploadLink> {
    return this.#own.uploadLink(...args);
  }
  close(): Promise<void> {
    return this.#own.close();
  }
}

/** The answer once it is whole: more than a chunk is bound behind. */
async function answerOf(request: Request, at: Runtime): Promise<BppAnswer> {
  let answer = await request.send(at);
  for (const end = Date.now() + 120_000; answer.state === 'Pending' && Date.now() < end; ) {
    await pause(100);
    answer = await request.fetch(at);
  }
  return answer;
}

describe.skipIf(awsSkipReason !== '')(`a lost region${awsSkipReason}`, () => {
  const first = new DynamoDBClient(awsClientConfig);
  const further = new DynamoDBClient(FURTHER);
  const s3 = new S3Client(FURTHER);
  afterAll(() => {
    for (const client of [first, further, s3]) client.destroy();
  });

  /** A backup of the table that was copied to the other region, restored there. */
  async function copyTable(from: string, to: string): Promise<void> {
    await createTable(further, to);
    for await (const { Items = [] } of paginateScan(
      { client: first },
      { TableName: from, ConsistentRead: true },
    ))
      for (const Item of Items) await further.send(new PutItemCommand({ TableName: to, Item }));
  }

  it('is restored in another from the replica of the vault and a copy of the ledger of the day before, with other keys', async () => {
    const names = await createStores();
    const vault = S3Vault.open(names.bucket, { config: awsClientConfig });
    const deployment = await Deployment.create({
      stores: {
        ledger: DynamoDbLedger.open(names.ledger, { client: first }),
        vault,
        ppks: DynamoDbPpkVault.open(names.ppks, { client: first }),
      },
      config: { chunkSize: 2, packSize: 4, ledger: `dynamodb:${names.ledger}` },
    });
    const { runtime } = deployment;
    await prepare(deployment, 'ORD', 12);
    const euiccs = await registered(deployment, 6, { keys: 3 });
    const ask = async (at: Runtime, ...eids: number[]) => {
      const request = new Request(
        'ORD',
        eids.map((n) => ({ eid: euiccs[n]!.eid })),
      );
      return { request, answer: await answerOf(request, at) };
    };
    const before = await ask(runtime, 0);

    // the copy of the day before, then what was bound since
    await copyTable(names.ledger, `${names.ledger}-2`);
    const since = [await ask(runtime, 1), await ask(runtime, 2, 3)];
    const replica = new Replica(S3Vault.open(`${names.bucket}-2`, { config: FURTHER }));
    await s3.send(new CreateBucketCommand({ Bucket: `${names.bucket}-2` }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: `${names.bucket}-2`, VersioningConfiguration }));
    expect(await replica.replicate(vault)).toBeGreaterThan(10);

    // the region is lost: tables, bucket and every key
    await deployment.close();
    const folder = await mkdtemp(join(tmpdir(), 'smdpf-further-'));
    await mkdir(join(folder, 'keys'));
    await writeFile(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 });
    const key = (name: string) => `softkey:path=${join(folder, 'keys', name)}.key`;
    const config: RuntimeConfig = {
      ...deployment.config,
      ledger: `dynamodb:${names.ledger}-2`,
      keys: {
        wrapping: key('wrapping'),
        delivery: key('delivery'),
        passphrase: `file:${join(folder, 'passphrase')}`,
      },
    };
    await createTable(further, `${names.ppks}-2`, 'pack', 'part');
    const stores = {
      ledger: DynamoDbLedger.open(`${names.ledger}-2`, { client: further }),
      vault: replica,
      ppks: DynamoDbPpkVault.open(`${names.ppks}-2`, { client: further }),
    };
    const restored = await openRuntime(config, { stores, mayLack: ['ppks'] });
    try {
      await sharedSoftkey(restored.keys, config.keys.wrapping, 'aes-256', 'wrapping');
      await sharedSoftkey(restored.keys, config.keys.delivery, 'ecdsa-p256', 'delivery');
      await sharedSoftkey(restored.keys, key('dppb'), 'ecdsa-p256', 'binding');
      expect(await restore(restored.unguarded, restored.standing)).toMatchObject({
        commits: 2,
        bound: 3,
        // what no eUICC has can be bound by nobody: its PPKs were in the lost region alone
        positions: { taken: 3, closed: 8 },
        problems: [],
        twice: [],
      });
      const asked = [before, ...since];
      for (const { request, answer } of asked) {
        expect(await request.fetch(restored)).toEqual(answer);
        expect(await request.send(restored)).toEqual(answer);
      }
      expect(outcomesOf((await ask(restored, 4)).answer)).toEqual(['profileTypeExhausted']);

      // a binding key of this region, and the order once more for what is not bound
      const lost = (await scanAll(restored.context.ledger, partitions.trust))
        .filter(({ sort }) => sort.startsWith('dppb#'))
        .map(({ sort }) => sort.slice('dppb#'.length));
      expect(lost).toHaveLength(1);
      const { publicKey } = await restored.keys.openSigningKey(key('dppb'), 'binding');
      const certificate = deployment.ci.issueDpPb({ spki: publicKey }, { oid: '2.999.10' });
      const { keyId: ciPkId } = deployment.ci;
      const dpPb = { keyUri: key('dppb'), ciPkId, certificates: [certificate] };
      await restored.trustAdministration.installDpPb(dpPb, 'test');
      await restored.trustAdministration.retireDpPb(lost[0]!, 'test');
      deployment.runtime = restored;
      await prepare(deployment, 'NEW', 9);
      const again = [0, 1, 2, 3, 4, 5].map((n) => ({ eid: euiccs[n]!.eid, additional: n < 4 }));
      const anew = await answerOf(new Request('NEW', again), restored);
      expect(outcomesOf(anew)).toEqual(again.map(() => 'bound'));
      const triples = [...asked.map(({ answer }) => answer), anew].flatMap(triplesOf);
      expect(triples).toHaveLength(10);
      for (const member of [1, 2])
        expect(new Set(triples.map((triple) => triple.split(' ')[member])).size).toBe(triples.length);
    } finally {
      await restored.close();
      await rm(folder, { recursive: true, force: true });
    }
  }, 300_000);
});
