import { createHash } from 'node:crypto';
import type { Runtime } from '../../shared/runtime.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';

/** SHA-256 over everything that a device manufacturer gets: the answer, its manifest and the octets of its parts. */
export async function answerHash({ context }: Runtime, answer: BppAnswer): Promise<string> {
  const hash = createHash('sha256');
  const { bppBatch, manifest, parts = [], ...rest } = answer;
  hash.update(JSON.stringify({ ...rest, parts }));
  for (const octets of [bppBatch, manifest]) if (octets !== undefined) hash.update(octets);
  for (const part of parts) hash.update(await context.vault.get(part));
  return hash.digest('hex');
}
