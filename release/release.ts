import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../cli/output/table.ts';
import { buildConsole } from '../console/build/build.ts';
import { buildSite } from '../site/build.ts';
import { bundle, ROOT } from './bundle.ts';
import { makeDocsPackage } from './docs-package.ts';
import { makeExecutable, prepareBlob } from './executable.ts';
import { makeNpmPackage } from './npm-package.ts';
import { bundledPackages, notices } from './packages.ts';
import { RUNTIME } from './runtimes.ts';
import { sbom } from './sbom.ts';
import { versionAtHead } from './version.ts';

/** Beside what is built: files that are as they stand in the sources. */
const AS_THEY_ARE = {
  'release/files/Containerfile': 'Containerfile',
  'release/files/smdpf.service': 'smdpf.service',
  'docs/station.md': 'STATION.md',
  'CHANGELOG.md': 'CHANGELOG.md',
  LICENSE: 'LICENSE',
};

/** `npm run release`: everything that a release consists of, in `dist/`; docs/release.md tells what is what. */
async function release(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'dist' },
      'no-executables': { type: 'boolean', default: false },
      // of a build that was made before
      'pages-as-built': { type: 'boolean', default: false },
    },
  });
  const out = resolve(values.out);
  const version = versionAtHead();
  if (!version.clean) console.error(`warning: what is built is more than commit ${version.commit}`);
  if (!values['pages-as-built']) {
    await buildConsole((text) => console.error(`console: ${text}`));
    buildSite((text) => console.error(`docs: ${text}`));
  }
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'smdpf-release-'));
  try {
    const bundles = await bundle(join(out, 'smdpf.mjs'), 'esm');
    const bundled = bundledPackages(bundles.packages);
    const thirdParties = notices(bundled, RUNTIME.version);
    writeFileSync(join(out, 'THIRD-PARTY-NOTICES'), thirdParties);
    writeFileSync(join(out, `smdpf-${version.version}.cdx.json`), sbom(version, bundled));
    makeNpmPackage(version, bundles, thirdParties, work, out);
    makeDocsPackage(version, work, out);
    for (const [from, to] of Object.entries(AS_THEY_ARE)) copyFileSync(join(ROOT, from), join(out, to));
    if (!values['no-executables']) {
      const blob = prepareBlob(await bundle(join(work, 'smdpf.cjs'), 'cjs'));
      makeExecutable('linux-x64', blob, join(out, `smdpf-${version.version}-linux-x64`));
      makeExecutable('win-x64', blob, join(out, `smdpf-${version.version}-win-x64.exe`));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(writeChecksums(out));
}

/** SHA256SUMS, as `sha256sum --check` reads it; returns a table of what there is. */
function writeChecksums(out: string): string {
  const files = readdirSync(out).sort();
  const sums = files.map((name) =>
    createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex'),
  );
  writeFileSync(join(out, 'SHA256SUMS'), files.map((name, index) => `${sums[index]}  ${name}\n`).join(''));
  return table(
    ['file', 'octets', 'SHA-256'],
    files.map((name, index) => [name, statSync(join(out, name)).size, sums[index]]),
  );
}

await release();
