import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions, bundleLimit, bundleSize } from './bundle.ts';
import { CONSOLE_LAMBDA, functionNames, type LambdaName } from './functions.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-bundles-'));
try {
  const bundles = await bundleFunctions('aws', folder);
  const names: LambdaName[] = [...functionNames, CONSOLE_LAMBDA];
  const sizes = names.map((name) => ({
    name,
    size: bundleSize(bundles[name]),
    limit: bundleLimit(name),
  }));
  for (const { name, size, limit } of sizes) {
    const verdict = size > limit ? `  above the limit of ${limit}` : '';
    console.log(`${name.padEnd(32)} ${String(size).padStart(9)} octets${verdict}`);
  }
  if (sizes.some(({ size, limit }) => size > limit)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
