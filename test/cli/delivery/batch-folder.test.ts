import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packBatch, partFile, verifyBatch } from '../../../cli/delivery/batch-folder.ts';
import { downloadPart, mayPass } from '../../../cli/delivery/download.ts';
import { MANIFEST_FILE } from '../../../cli/delivery/pulled-manifest.ts';
import {
  batchManifestTbs,
  encodeBatchManifest,
  type Part,
} from '../../../shared/ifpp-draft1/batch-manifest.ts';
import { encodeBppItem } from '../../../shared/ifpp-draft1/bpp-batch.ts';
import { decodeBppBatch } from '../../../sim/index.ts';
import { boundOutcome } from './bound-outcome.ts';

const EIDS = ['89049032123451234512345678901235', '89049032123451234512345678901338'];
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const deliveryKey = keys.publicKey.export({ format: 'der', type: 'spki' });

let folder: string;
let parts: { part: Part; octets: Uint8Array }[];

/** Two parts of two items each: one bound, one refused. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smdpf-batch-'));
  parts = EIDS.map((eid, n) => {
    const transactionId = randomBytes(16).toString('hex');
    const bound = encodeBppItem({
      itemId: 2 * n,
      eid,
      outcome: boundOutcome(transactionId),
    });
    const failed = encodeBppItem({
      itemId: 2 * n + 1,
      eid,
      outcome: { kind: 'failed', subjectCode: '8.1.1', reasonCode: '3.9', message: undefined },
    });
    const octets = Buffer.concat([bound, failed]);
    const index = [{ eid, transactionId, offset: 0, length: bound.length }];
    const sha256 = createHash('sha256').update(octets).digest();
    return { octets, part: { name: `parts/x/${n}`, size: octets.length, sha256, index } };
  });
  writeManifest(parts.map(({ part }) => part));
  for (const [n, { octets }] of parts.entries()) writeFileSync(partFile(folder, n), octets);
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeManifest(list: readonly Part[]): void {
  const chains = [{ ciPkId: randomBytes(20), certificates: [Buffer.from('3000', 'hex')] }];
  const tbs = batchManifestTbs({ requestId: '0a0b', chains, parts: list });
  const signature = sign('sha256', tbs, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  writeFileSync(join(folder, MANIFEST_FILE), encodeBatchManifest(tbs, signature));
}

it('a pulled folder that holds is told: signature, parts, and the items that the index names', {
  tags: ['A1-AIR-GAP'],
}, async () => {
  expect(await verifyBatch(folder, [deliveryKey])).toEqual({
    requestId: '0a0b',
    parts: 2,
    bound: 2,
    failed: 2,
    signature: 'holds',
    signedBy: createHash('sha256').update(deliveryKey).digest('hex'),
    problems: [],
  });
  expect(await verifyBatch(folder, undefined)).toMatchObject({ signature: 'unchecked', problems: [] });
});

it('a pulled folder shows a manifest of another key, a changed part, a missing part and a wrong index', {
  tags: ['A1-AIR-GAP', 'MCE02'],
}, async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const wrongKey = await verifyBatch(folder, [other.export({ format: 'der', type: 'spki' })]);
  expect(wrongKey).toMatchObject({
    signature: 'fails',
    problems: [{ problem: expect.stringContaining('key') }],
  });

  const changed = Buffer.from(parts[0]!.octets);
  changed[40]! ^= 1;
  writeFileSync(partFile(folder, 0), changed);
  rmSync(partFile(folder, 1));
  expect((await verifyBatch(folder, [deliveryKey])).problems.map(({ part }) => part)).toEqual([0, 1]);

  for (const [n, { octets }] of parts.entries()) writeFileSync(partFile(folder, n), octets);
  writeManifest(
    parts.map(({ part }) => ({ ...part, index: part.index.map((entry) => ({ ...entry, eid: EIDS[0]! })) })),
  );
  expect((await verifyBatch(folder, [deliveryKey])).problems).toMatchObject([{ part: 1 }]);
});

it('the parts of a pulled folder make one batch that another decoder reads', async () => {
  const file = join(folder, 'batch');
  const size = await packBatch(folder, file);
  const batch = readFileSync(file);
  expect(batch.length).toBe(size);
  expect(decodeBppBatch(batch).items.map(({ eid, bound }) => [eid, bound !== undefined])).toEqual([
    [EIDS[0], true],
    [EIDS[0], false],
    [EIDS[1], true],
    [EIDS[1], false],
  ]);
});

/** A server of one part that breaks off once so many octets of an answer are in a file, with Range or without. */
async function serve(
  octets: Uint8Array,
  { breakAfter = Number.POSITIVE_INFINITY, arrivedIn = '', ranges = true } = {},
) {
  const sizeOf = () => statSync(arrivedIn, { throwIfNoEntry: false })?.size ?? 0;
  const breakOff = async (response: ServerResponse) => {
    while (sizeOf() < breakAfter) await sleep(5);
    response.destroy();
  };
  const asked: (string | undefined)[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.headers.range);
    const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    const rest = octets.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
    if (rest.length <= breakAfter) response.end(rest);
    else response.write(rest.subarray(0, breakAfter), () => void breakOff(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, asked, close: () => server.close() };
}

it('a download of a part goes on where it broke off', async () => {
  const [{ part, octets }] = parts as [(typeof parts)[number]];
  const file = join(folder, 'fetched');
  const server = await serve(octets, { breakAfter: 900, arrivedIn: `${file}.partial` });
  await expect(downloadPart(server.url, file, part, {})).rejects.toThrow();
  await downloadPart(server.url, file, part, {});
  expect(server.asked).toEqual([undefined, 'bytes=900-']);
  expect(readFileSync(file).equals(octets)).toBe(true);
  server.close();
});

it('a download names the host that its link leads to where that cannot be reached', async () => {
  const [{ part }] = parts as [(typeof parts)[number]];
  await expect(downloadPart('http://127.0.0.1:9/', join(folder, 'none'), part, {})).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('127.0.0.1:9 cannot be reached'),
  });
});

it('a download takes the whole from a server without ranges, and keeps nothing that is not the part', async () => {
  const [{ part, octets }] = parts as [(typeof parts)[number]];
  const file = join(folder, 'fetched');
  writeFileSync(`${file}.partial`, octets.subarray(0, 100));
  const whole = await serve(octets, { ranges: false });
  await downloadPart(whole.url, file, part, {});
  expect(readFileSync(file).equals(octets)).toBe(true);
  whole.close();

  const wrong = await serve(randomBytes(part.size));
  await expect(downloadPart(wrong.url, join(folder, 'wrong'), part, {})).rejects.toMatchObject({
    code: 'vault',
    retryable: true,
  });
  wrong.close();
});

it.each([
  [429, true],
  [503, true],
  [403, false],
  [404, false],
  [410, false],
])('a download that is answered with HTTP %i may be tried again: %s', async (status, retryable) => {
  const [{ part }] = parts as [(typeof parts)[number]];
  const server = createServer((_, response) => response.writeHead(status, { 'retry-after': '7' }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const error = await downloadPart(url, join(folder, `answered-${status}`), part, {}).catch(
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ httpStatus: status, retryAfterMs: 7_000 });
  expect(mayPass(error)).toBe(retryable);
  server.close();
});

it('a download that this machine cannot write is not tried again, and names the file', async () => {
  const [{ part, octets }] = parts as [(typeof parts)[number]];
  const server = await serve(octets);
  const full = join(folder, 'full');
  symlinkSync('/dev/full', `${full}.partial`);
  const nowhere = join(folder, 'nowhere');
  symlinkSync(join(folder, 'no-folder', 'file'), `${nowhere}.partial`);
  for (const [file, code] of [
    [full, 'ENOSPC'],
    [nowhere, 'ENOENT'],
  ] as const) {
    const error = await downloadPart(server.url, file, part, {}).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, path: `${file}.partial` });
    expect(mayPass(error)).toBe(false);
  }
  server.close();
});
