import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecretScan } from '../../bench/secret-scan.ts';
import { fromHex } from '../../shared/codec/bytes.ts';
import { SEALED_PPK_LENGTH } from '../../shared/profile/ppk-seal.ts';
import { PackReader } from '../../shared/service/supply/packs.ts';
import type { PersonalisedEuicc } from '../../sim/index.ts';
import { openProfile } from '../service/es2f/open-pack.ts';
import { boundOf, operational, Request, registered } from '../service/scenario.ts';
import { Deployment, OPERATOR } from '../support/deployment.ts';
import { blocksOf, csvOf, intakeKeyOf, secretRows, withIntakeKey } from '../support/row-sources.ts';
import { bppSecrets } from './bpp-secrets.ts';
import type { Plan } from './ordering.ts';
import { type Trace, traceSkipReason, traceWrites } from './traced-writes.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Names of the secrets that were written, with where. */
function written(trace: Trace, scan: SecretScan): string[] {
  return trace.writes.flatMap(({ path, octets }) =>
    [...scan.find(octets)].map((name) => `${name} in ${path}`),
  );
}

describe.skipIf(traceSkipReason !== '')(
  `what a process ever wrote to a file (I5)${traceSkipReason}`,
  { tags: ['I5'] },
  () => {
    it('is searched whole: a secret is found that was torn, overwritten, deleted or only in a database', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'smdpf-writing-'));
      try {
        const secrets = Array.from({ length: 5 }, () => randomBytes(16));
        const file = join(folder, 'secrets');
        writeFileSync(file, JSON.stringify(secrets.map((secret) => secret.toString('hex'))));
        const trace = await traceWrites(script('./writing.ts'), [folder, file]);
        expect(trace).toMatchObject({ status: 0, unseen: [] });
        const scan = new SecretScan();
        const names = ['whole', 'torn', 'vector', 'overwritten', 'database'];
        for (const [i, name] of names.entries()) scan.add(name, secrets[i]!);
        const found = written(trace, scan);
        for (const name of names)
          expect(
            found.some((where) => where.startsWith(`${name} in ${join(folder, name)}`)),
            name,
          ).toBe(true);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    describe('a server that makes an order of generated keys and one of rows, and binds some of both', () => {
      const GENERATED = 'ORD-1';
      const BROUGHT = 'ORD-2';
      const QUANTITY = { [GENERATED]: 300, [BROUGHT]: 40 };
      const BOUND = 5;
      const HOST_ID = Buffer.from('smdpf');
      let deployment: Deployment;
      let trace: Trace;
      let euiccs: readonly PersonalisedEuicc[];
      const requests: Request[] = [];
      const scan = new SecretScan();
      let secrets = 0;
      const add = (name: string, secret: Uint8Array) => {
        scan.add(name, secret);
        secrets += 1;
      };

      beforeAll(async () => {
        deployment = await Deployment.create({ config: { packSize: 64, inlineOrder: 10, workers: 1 } });
        await withIntakeKey(deployment);
        euiccs = await registered(deployment, 2 * BOUND);
        const { privateKey, order: generated } = operational('898828000000000000');
        const common = deployment.order('', 0, new Uint8Array(), generated);
        const rows = secretRows(QUANTITY[BROUGHT]);
        const blocks = await blocksOf(await intakeKeyOf(deployment.runtime), rows, {
          orderId: BROUGHT,
          rowsPerBlock: 16,
        });
        const own = secretRows(QUANTITY[GENERATED], 5_000).map(({ iccid, imsi }) => ({
          iccid: iccid!,
          imsi: imsi!,
        }));
        for (const [i, orderId] of [GENERATED, BROUGHT].entries())
          requests.push(
            new Request(
              orderId,
              euiccs.slice(i * BOUND, (i + 1) * BOUND).map(({ eid }) => ({ eid })),
            ),
          );
        const { template: _, ...plain } = common;
        const plan: Plan = {
          orders: [
            {
              ...plain,
              orderId: GENERATED,
              quantity: QUANTITY[GENERATED],
              personalisation: { format: 'csv', keys: 'generate' },
              rows: csvOf(own).toString('base64'),
            },
            {
              ...plain,
              orderId: BROUGHT,
              quantity: QUANTITY[BROUGHT],
              personalisation: { format: 'jwe' },
              rows: Buffer.from(blocks.join('\n')).toString('base64'),
            },
          ],
          requests: requests.map(({ der }) => Buffer.from(der).toString('base64')),
        };
        const files = { config: join(deployment.folder, 'config'), plan: join(deployment.folder, 'plan') };
        writeFileSync(files.config, JSON.stringify(deployment.config));
        writeFileSync(files.plan, JSON.stringify(plan));
        trace = await traceWrites(script('./ordering.ts'), [files.config, files.plan]);
        await collectSecrets(privateKey);
      }, 180_000);

      afterAll(() => deployment?.close());

      /** K, OPc and the other keys of the rows, PPKs, session keys, and pieces of the profiles themselves. */
      async function collectSecrets(privateKey: ReturnType<typeof operational>['privateKey']): Promise<void> {
        const { runtime } = deployment;
        for (const orderId of [GENERATED, BROUGHT] as const) {
          let row = 0;
          for (let pack = 0; row < QUANTITY[orderId]; pack++) {
            const { jwe } = await runtime.services.orders.getOrderOutput(OPERATOR, { orderId, pack });
            const { plaintext } = await compactDecrypt(jwe, privateKey);
            for (const line of Buffer.from(plaintext).toString().trimEnd().split('\n')) {
              for (const [name, value] of Object.entries(JSON.parse(line) as Record<string, string>))
                if (/^[0-9a-f]{32,}$/.test(value)) add(`${name} ${orderId} ${row}`, fromHex(value));
              row += 1;
            }
          }
          const places = Array.from({ length: QUANTITY[orderId] }, (_, position) => position);
          for (const [position, stored] of await new PackReader(runtime.context, orderId).read(places))
            for (const [name, key] of Object.entries(stored.kind === 'whole' ? stored.ppk : {}))
              add(`${name} ${orderId} ${position}`, key);
          for (const position of [BOUND, QUANTITY[orderId] - 1]) {
            const { upp } = await openProfile(runtime, orderId, position);
            for (let at = 0; at + 24 <= upp.length; at += 24) {
              const piece = upp.subarray(at, at + 24);
              // no filler, in neither half
              if ([piece.subarray(0, 12), piece.subarray(12)].every((half) => new Set(half).size >= 9))
                add(`octet ${at} of profile ${position} of ${orderId}`, piece);
            }
          }
        }
        for (const request of requests) {
          const items = boundOf(await request.fetch(runtime));
          expect(items).toHaveLength(BOUND);
          for (const { eid, bound } of items) {
            const euicc = euiccs.find((one) => one.eid === eid)!;
            const { shared, sessionKeys, ppk } = bppSecrets(euicc, bound, HOST_ID);
            for (const [i, key] of [shared, ...sessionKeys, ...ppk].entries()) add(`key ${i} of ${eid}`, key);
          }
        }
      }

      it('runs to its end, and nothing gets into a file unseen', () => {
        expect(trace.status).toBe(0);
        expect(trace.unseen).toEqual([]);
      });

      it('is traced in all its stores: ledger and its log, vault, PPK vault, temporary files', () => {
        const paths = new Set(trace.writes.map(({ path }) => path));
        for (const part of ['ledger.sqlite', 'ledger.sqlite-wal', '/vault/', '/ppks/', '/tmp/'])
          expect(
            [...paths].some((path) => path.startsWith(deployment.folder) && path.includes(part)),
            part,
          ).toBe(true);
        const eids = new SecretScan();
        eids.add('EID', Buffer.from(euiccs[0]!.eid));
        expect(written(trace, eids).length, 'EIDs are no secret').toBeGreaterThan(0);
      });

      it('wrote no K, OPc or other key, no PPK, no session key and no piece of a profile, in no form', () => {
        // K, OPc, three keys of SCP80; a PPK of three keys
        const profiles = QUANTITY[GENERATED] + QUANTITY[BROUGHT];
        expect(secrets).toBeGreaterThan(8 * profiles);
        expect(written(trace, scan)).toEqual([]);
      });

      it('leaves the sealed PPKs of bound profiles in no file, while the trace still has them', () => {
        const ppks = join(deployment.folder, 'ppks');
        const packs = trace.writes.filter(
          ({ path, octets }) => path.startsWith(ppks) && octets.length > 16 * SEALED_PPK_LENGTH,
        );
        expect(packs.length).toBeGreaterThan(0);
        const files = readdirSync(ppks, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
        const isLeft = (sealed: Buffer) => files.some((octets) => octets.includes(sealed));
        // preamble, then per slot length and digest before the entry (shared/vault/file-ppk.ts)
        const entry = ({ octets }: { octets: Buffer }, place: number) => {
          const start = 24 + place * (12 + SEALED_PPK_LENGTH) + 12;
          return octets.subarray(start, start + SEALED_PPK_LENGTH);
        };
        const first = packs.filter((pack) => isLeft(entry(pack, BOUND)) && !isLeft(entry(pack, 0)));
        expect(first).toHaveLength(2);
        for (const pack of first)
          for (let place = 0; place < 10; place++) expect(isLeft(entry(pack, place))).toBe(place >= BOUND);
      });
    });
  },
);
