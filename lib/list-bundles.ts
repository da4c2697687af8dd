import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions, bundleSize } from './bundle.ts';
import { functionNames } from './functions.ts';

/** Octets of a bundle at most: what a cold start may have to read. */
const LIMIT = 1_500_000;

const folder = mkdtempSync(join(tmpdir(), 'smdpf-bundles-'));
try {
  const bundles = await bundleFunctions('aws', folder);
  const sizes = functionNames.map((name) => ({ name, size: bundleSize(bundles[name]) }));
  for (const { name, size } of sizes) {
    const verdict = size > LIMIT ? `  above the limit of ${LIMIT}` : '';
    console.log(`${name.padEnd(32)} ${String(size).padStart(9)} octets${verdict}`);
  }
  if (sizes.some(({ size }) => size > LIMIT)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
