import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formsOf } from '../../bench/secret-scan.ts';
import { type Bytes, equal, fromHex } from '../../shared/codec/bytes.ts';
import { readTlv } from '../../shared/codec/tlv.ts';
import { BspOpener } from '../../shared/crypto/bsp.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { ppkBspKeys } from '../../shared/profile/ppk.ts';
import { openRuntime, type Runtime } from '../../shared/runtime.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../shared/runtime-config.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { packRecord } from '../../shared/service/records/order.ts';
import { PackReader } from '../../shared/service/supply/packs.ts';
import {
  decodeBppBatch,
  encodeLoadPackage,
  encodeProfileLoadingReport,
  type PersonalisedEuicc,
  SoftEuicc,
  segmentBpp,
  storeDataApdus,
} from '../../sim/index.ts';
import {
  type BoundBppItem,
  boundOf,
  operational,
  prepare,
  Request,
  registered,
} from '../service/scenario.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../support/deployment.ts';
import { type BppSecrets, bppSecrets } from './bpp-secrets.ts';

const ORDER = 'ORD-1';
const BOUND = 3;
const QUANTITY = 5;
const HOST_ID = Buffer.from('smdpf');

let deployment: Deployment;
let copy: string;
const lines: string[] = [];
const secrets: BppSecrets[] = [];
const rows: Record<string, string>[] = [];
const packages: Bytes[] = [];
let sealedBefore: (Bytes | undefined)[] = [];
let items: BoundBppItem[] = [];
let euiccs: PersonalisedEuicc[] = [];

/** The whole flow once: order, bind, load, report; with a copy of the folder from before the bind. */
beforeAll(async () => {
  const log = (record: LogRecord) => lines.push(JSON.stringify(record));
  deployment = await Deployment.create({ log, config: { packSize: 4 } });
  copy = `${deployment.folder}-copy`;
  const { privateKey, order } = operational('890040000000000000');
  await prepare(deployment, ORDER, QUANTITY, { ...order, callbackUrl: 'http://127.0.0.1:9/' });
  euiccs = await registered(deployment, BOUND);
  sealedBefore = await sealedPpks(deployment.runtime);
  await deployment.reopen({ log });
  cpSync(deployment.folder, copy, { recursive: true });

  const { services } = deployment.runtime;
  const request = new Request(
    ORDER,
    euiccs.map(({ eid }) => ({ eid })),
  );
  const answer = await request.send(deployment.runtime);
  items = boundOf(answer);
  const { chains } = decodeBppBatch(answer.bppBatch!);
  const results = items.map(({ bound }, i) => {
    secrets.push(bppSecrets(euiccs[i]!, bound, HOST_ID));
    const card = SoftEuicc.create(euiccs[i]!);
    const load = encodeLoadPackage({ ...bound, chain: chains[bound.chain]! });
    let answer: Bytes = new Uint8Array();
    for (const apdu of [load, ...segmentBpp(bound.bpp)].flatMap((command) => storeDataApdus(command))) {
      answer = card.transmit(apdu);
      while (answer.at(-2) === 0x61) {
        const more = card.transmit(Uint8Array.of(apdu[0]!, 0xc0, 0, 0, answer.at(-1)!));
        answer = Buffer.concat([answer.subarray(0, -2), more]);
      }
    }
    packages.push(card.installedProfile(bound.iccid)!);
    return { euiccResult: answer.subarray(0, -2) };
  });
  const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items: results });
  expect(await services.reports.sendProfileLoadingReport(DEVICE_MAKER, report)).toMatchObject({
    verified: BOUND,
  });
  for (const pack of [0, 1]) {
    const { jwe } = await services.orders.getOrderOutput(OPERATOR, { orderId: ORDER, pack });
    const text = Buffer.from((await compactDecrypt(jwe, privateKey)).plaintext).toString();
    rows.push(
      ...text
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row) as Record<string, string>),
    );
  }
});

afterAll(async () => {
  await deployment?.close();
  rmSync(copy, { recursive: true, force: true });
});

/** The sealed PPKs of the first pack, as the PPK vault holds them. */
async function sealedPpks({ context }: Runtime): Promise<(Bytes | undefined)[]> {
  const item = await context.ledger.get(ledgerKeys.orderPack(ORDER, 0));
  return [...(await context.ppks.entries(packRecord.from(item!).ppks, [0, 1, 2, 3]))];
}

interface Haystack {
  readonly name: string;
  readonly octets: Buffer;
}

function filesOf(folder: string): Haystack[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((name) => ({ name, octets: readFileSync(name) }));
}

const found = (secret: Bytes, haystacks: readonly Haystack[]) =>
  haystacks
    .filter(({ octets }) => formsOf(secret).some((form) => octets.includes(form)))
    .map(({ name }) => name);

/** Pieces of 24 octets that say something: no filler. */
function piecesOf(upp: Bytes): Bytes[] {
  const pieces: Bytes[] = [];
  for (let at = 0; at + 24 <= upp.length; at += 97) {
    const piece = upp.subarray(at, at + 24);
    if (new Set(piece).size >= 12) pieces.push(piece);
  }
  return pieces;
}

describe('nothing secret is at rest (I5)', { tags: ['I5', 'GENS01', 'GENS09', 'GENS10'] }, () => {
  const haystacks = (): Haystack[] => {
    const log = { name: 'log', octets: Buffer.from(lines.join('\n')) };
    return [...filesOf(deployment.folder), ...filesOf(copy), log];
  };

  it('the search finds a secret that is there, in each form', () => {
    const secret = randomBytes(16);
    const around = (form: string) => `x${form}y`;
    const written = [
      Buffer.concat([Buffer.of(1), secret, Buffer.of(2)]),
      Buffer.from(around(secret.toString('hex'))),
      Buffer.from(around(secret.toString('hex').toUpperCase())),
      ...[0, 1, 2].map((n) =>
        Buffer.from(Buffer.concat([randomBytes(n), secret, randomBytes(5)]).toString('base64')),
      ),
      ...[0, 1, 2].map((n) =>
        Buffer.from(Buffer.concat([randomBytes(n), secret, randomBytes(4)]).toString('base64url')),
      ),
    ];
    for (const [i, octets] of written.entries())
      expect(found(secret, [{ name: `${i}`, octets }])).toEqual([`${i}`]);
    const folder = filesOf(deployment.folder).map(({ name }) => name);
    for (const part of ['ledger.sqlite', 'vault', 'ppks'])
      expect(folder.some((name) => name.includes(part))).toBe(true);
    expect(found(Buffer.from(items[0]!.eid), haystacks()).length, 'EIDs are no secret').toBeGreaterThan(0);
  });

  it('K, OPc and every other generated value of the Operator’s rows', () => {
    const values = rows
      .flatMap((row) => Object.entries(row))
      .filter(([, value]) => /^([0-9a-f]{2}){8,}$/i.test(value));
    const keys = values.filter(([name]) => name !== 'iccid' && name !== 'imsi');
    expect(rows).toHaveLength(QUANTITY);
    expect(keys.length).toBeGreaterThanOrEqual(2 * QUANTITY);
    const files = haystacks();
    for (const [name, value] of keys) {
      expect(found(fromHex(value.toLowerCase()), files), name).toEqual([]);
    }
  });

  it('PPKs, session keys and shared secrets of the BPPs that went out', () => {
    const files = haystacks();
    for (const { shared, sessionKeys, ppk } of secrets)
      for (const secret of [shared, ...sessionKeys, ...ppk]) expect(found(secret, files)).toEqual([]);
  });

  it('the profiles themselves, piece by piece', () => {
    const files = haystacks();
    expect(packages).toHaveLength(BOUND);
    const pieces = packages.flatMap(piecesOf);
    expect(pieces.length).toBeGreaterThan(30);
    for (const piece of pieces) expect(found(piece, files)).toEqual([]);
  });

  it('not even the sealed PPKs of bound profiles are left in the server’s folder', () => {
    const files = filesOf(deployment.folder);
    for (const [place, sealed] of sealedBefore.entries()) {
      const holders = files.filter(({ octets }) => octets.includes(Buffer.from(sealed!)));
      expect(holders.length > 0, `position ${place}`).toBe(place >= BOUND);
    }
  });
});

describe('a copy of the folder from before the bind', { tags: ['I5', 'GENS06', 'INO1'] }, () => {
  const moved = (folder: string): RuntimeConfig =>
    parseRuntimeConfig(JSON.stringify(deployment.config).replaceAll(deployment.folder, folder), folder);

  /** What the folder gives: which positions have a PPK, and which of the issued BPPs any of these opens. */
  async function thiefIn(folder: string): Promise<{ ppks: boolean[]; opened: boolean[] }> {
    const runtime = await openRuntime(moved(folder));
    try {
      const profiles = await new PackReader(runtime.context, ORDER).read([0, 1, 2, 3]);
      const ppks = [...profiles.values()].map((stored) => (stored.kind === 'whole' ? stored.ppk : undefined));
      const opens = ({ bound }: BoundBppItem) => {
        const segment = segmentBpp(bound.bpp).find(([tag]) => tag === 0x86)!;
        return ppks.some((ppk) => {
          if (ppk === undefined) return false;
          try {
            const first = new BspOpener(ppkBspKeys(ppk)).decrypt(readTlv(segment));
            return packages.some((upp) => equal(upp.subarray(0, first.length), first));
          } catch {
            return false;
          }
        });
      };
      return { ppks: ppks.map((ppk) => ppk !== undefined), opened: items.map(opens) };
    } finally {
      await runtime.close();
    }
  }

  it('opens no issued BPP with the PPK vault of after: its keys are gone', async () => {
    const restored = `${copy}-restored`;
    cpSync(copy, restored, { recursive: true });
    rmSync(join(restored, 'ppks'), { recursive: true });
    cpSync(join(deployment.folder, 'ppks'), join(restored, 'ppks'), { recursive: true });
    expect(await thiefIn(restored)).toEqual({
      ppks: [false, false, false, true],
      opened: [false, false, false],
    });
    rmSync(restored, { recursive: true });
  });

  it('would open them with a PPK vault of before: so that one is never copied', async () => {
    expect(await thiefIn(copy)).toEqual({ ppks: [true, true, true, true], opened: [true, true, true] });
  });
});
