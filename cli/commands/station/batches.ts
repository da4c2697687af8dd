import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { type BppBatch, decodeBppBatch } from '../../../sim/index.ts';
import { packBatch, verifyBatch } from '../../delivery/batch-folder.ts';
import { readDer } from '../../input/files.ts';
import { UsageError } from '../../output/failure.ts';

/** The batch of a file (FF62), or of a folder that `smdpf pull` filled: one whose parts are not whole is refused. */
export async function readBatch(path: string): Promise<BppBatch> {
  const found = await stat(path).catch(() => undefined);
  const batch = decodeBppBatch(
    found?.isDirectory() ? await readPulled(path) : await readDer(path, '--batch', 'bppBatch'),
  );
  const lost = batch.items.find(
    ({ bound }) => bound !== undefined && batch.chains[bound.chain] === undefined,
  );
  if (lost !== undefined)
    throw new UsageError(
      `--batch: item ${lost.itemId} of ${path} names a chain that the batch has not`,
      'Fetch the batch again: smdpf pull, or the same request.',
    );
  return batch;
}

export async function readBatches(paths: readonly string[]): Promise<BppBatch[]> {
  return Promise.all(paths.map(readBatch));
}

async function readPulled(folder: string): Promise<Bytes> {
  const { problems } = await verifyBatch(folder, undefined);
  if (problems.length > 0)
    throw new UsageError(
      `--batch: ${folder} is not whole: ${problems[0]!.problem}`,
      'Run the same smdpf pull again: it goes on where it stopped.',
    );
  const work = await mkdtemp(join(tmpdir(), 'smdpf-station-'));
  try {
    await packBatch(folder, join(work, 'batch.der'));
    return await readFile(join(work, 'batch.der'));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
