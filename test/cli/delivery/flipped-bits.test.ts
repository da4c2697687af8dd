import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_FILE, partFile, storeBatch, verifyBatch } from '../../../cli/delivery/batch-folder.ts';
import { MANIFEST_FILE } from '../../../cli/delivery/pulled-manifest.ts';
import { Refusal } from '../../../shared/errors.ts';
import { batchManifestTbs, encodeBatchManifest } from '../../../shared/ifpp-draft1/batch-manifest.ts';
import { encodeBppBatch, encodeBppItem } from '../../../shared/ifpp-draft1/bpp-batch.ts';
import { LONG } from '../../support/effort.ts';
import { runCli } from '../support/cli.ts';
import { boundOutcome } from './bound-outcome.ts';

/** Of the octets between the ends of a file one in so many is looked at, and one bit of each; all in the long run. */
const STEP = LONG ? 1 : 61;
const ENDS = 24;

const EID = '89049032123451234512345678901235';
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const deliveryKeys = [keys.publicKey.export({ format: 'der', type: 'spki' })];
const transactionId = 'a0'.repeat(16);
const item = {
  itemId: 1,
  eid: EID,
  outcome: boundOutcome(transactionId),
} as const;
const chains = [{ ciPkId: randomBytes(20), certificates: [Buffer.from('3000', 'hex')] }];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'smdpf-flipped-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Flips each bit of each octet that is looked at, and puts it back; the places that nobody noticed. */
async function unnoticed(file: string, step = STEP): Promise<readonly string[]> {
  const path = join(folder, file);
  const whole = readFileSync(path);
  const through: string[] = [];
  const isEnd = (at: number) => at < ENDS || at >= whole.length - ENDS;
  for (let at = 0; at < whole.length; at += isEnd(at) ? 1 : step)
    for (const bit of LONG ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << bit;
      writeFileSync(path, changed);
      if (await holds()) through.push(`${file}, octet ${at}, bit ${bit}`);
    }
  writeFileSync(path, whole);
  return through;
}

/** As `batch verify` has it: a typed refusal ends with an exit code of its own. */
async function holds(): Promise<boolean> {
  try {
    const { problems } = await verifyBatch(folder, deliveryKeys);
    return problems.length === 0;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const verify = (...more: string[]) => runCli('batch', 'verify', '--folder', folder, ...more);

describe('no bit of what was pulled can be flipped unseen', { tags: ['A1-AIR-GAP'] }, () => {
  it('in an inline answer, or in the SHA-256 beside it, a line end included', async () => {
    await storeBatch(folder, encodeBppBatch({ requestId: '0a0b', chains, items: [item] }));
    expect(await holds()).toBe(true);
    expect(await unnoticed(BATCH_FILE)).toEqual([]);
    expect(await unnoticed('batch.sha256', 1)).toEqual([]);
    expect((await verify()).code).toBe(0);
  });

  it.each([
    ['its tag', BATCH_FILE, 0],
    ['the BPP', BATCH_FILE, 300],
    ['its last octet', BATCH_FILE, -1],
    ['the line end of the SHA-256', 'batch.sha256', -1],
  ])('by the command, with and without --json: %s', async (_, file, at) => {
    await storeBatch(folder, encodeBppBatch({ requestId: '0a0b', chains, items: [item] }));
    const octets = readFileSync(join(folder, file));
    octets[at < 0 ? octets.length + at : at]! ^= 1;
    writeFileSync(join(folder, file), octets);
    for (const more of [[], ['--json']]) expect((await verify(...more)).code).toBe(1);
  });

  it('in a manifest or a part', async () => {
    const part = encodeBppItem(item);
    const tbs = batchManifestTbs({
      requestId: '0a0b',
      chains,
      parts: [
        {
          name: 'parts/x/0',
          size: part.length,
          sha256: createHash('sha256').update(part).digest(),
          index: [{ eid: EID, transactionId, offset: 0, length: part.length }],
        },
      ],
    });
    const signature = sign('sha256', tbs, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
    writeFileSync(join(folder, MANIFEST_FILE), encodeBatchManifest(tbs, signature));
    writeFileSync(partFile(folder, 0), part);
    expect(await holds()).toBe(true);
    expect(await unnoticed(MANIFEST_FILE)).toEqual([]);
    expect(await unnoticed('part-00000.der')).toEqual([]);
  });
});
