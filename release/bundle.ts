import { isAscii } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { siteFiles } from '../console/server/site-files.ts';
import { Fault } from '../shared/errors.ts';

export const ROOT = resolve(import.meta.dirname, '..');

/** The command, its threads, and the packages that are in either. */
export interface Bundle {
  /** The command. */
  readonly file: string;
  /** What its threads run, beside it. */
  readonly threads: string;
  /** Folders of `node_modules` that something was taken from, sorted. */
  readonly packages: readonly string[];
}

/** What a module in the bundle takes for its own address, and how it finds packages that are compiled for a machine. */
const FORMATS = {
  esm: {
    banner:
      "import { createRequire as smdpfRequire } from 'node:module'; const require = smdpfRequire(import.meta.url);",
    define: {},
  },
  // in an executable: from the folder that it lies in
  cjs: {
    banner: "const smdpfUrl = require('node:url').pathToFileURL(process.execPath).href;",
    define: { 'import.meta.url': 'smdpfUrl' },
  },
} as const;

/**
 * All of `smdpf` as two files: an ES module for Node, or CommonJS, which is what an executable begins with; and beside it, with
 * `-threads` in its name, what the worker threads of a server run. Commands, stores and AWS clients inside are still run when
 * they are first needed. The same sources give the same octets.
 */
export async function bundle(file: string, format: keyof typeof FORMATS): Promise<Bundle> {
  const threads = file.replace(/(\.\w+)$/, '-threads$1');
  const inputs = [
    await bundleOne('release/entry.ts', file, format, format === 'esm' ? '#!/usr/bin/env node\n' : ''),
    await bundleOne('release/threads-entry.ts', threads, format),
  ];
  return { file, threads, packages: packagesOf(inputs.flat()) };
}

/** Paths of what went into it. */
async function bundleOne(
  entry: string,
  file: string,
  format: keyof typeof FORMATS,
  firstLine = '',
): Promise<readonly string[]> {
  const { banner, define } = FORMATS[format];
  const { metafile } = await build({
    entryPoints: [join(ROOT, entry)],
    absWorkingDir: ROOT,
    outfile: file,
    bundle: true,
    format,
    platform: 'node',
    target: 'node22',
    minify: true,
    // error names are part of what the log tells
    keepNames: true,
    mainFields: ['module', 'main'],
    legalComments: 'none',
    metafile: true,
    banner: { js: `${firstLine}${banner}` },
    define: { ...define },
    plugins: [console],
    logLevel: 'warning',
  });
  // every thread of a server holds the text, in two octets a character where one of them is beyond Latin-1
  if (!isAscii(await readFile(file)))
    throw new Fault('configuration', `${entry} has a character that is not ASCII: write it as an escape`);
  return Object.keys(metafile.inputs);
}

/** The console's pages go inside, and nothing of the bundle builds them anew. */
const console: Plugin = {
  name: 'console',
  setup({ onLoad }) {
    onLoad({ filter: /console\/server\/site-files\.ts$/ }, async () => {
      const files = [...(await siteFiles())].map(([path, content]) => [
        path,
        // compressed, since a server holds the text whether it has a console or not
        brotliCompressSync(content).toString('base64'),
      ]);
      if (files.length === 0) throw new Fault('configuration', 'the pages of the console are not built');
      return {
        contents: `
          import { brotliDecompressSync } from 'node:zlib';
          const files = ${JSON.stringify(files)};
          export const siteFiles = async () =>
            new Map(files.map(([path, content]) => [path, brotliDecompressSync(Buffer.from(content, 'base64'))]));`,
      };
    });
    onLoad({ filter: /console\/build\/build\.ts$/ }, () => ({
      contents: `export const buildConsole = async () => { throw new Error('the pages are inside'); };`,
    }));
  },
};

/** `node_modules/@scope/name`, also of packages inside others; from this folder, or from another that a link leads to. */
function packagesOf(inputs: readonly string[]): string[] {
  const folders = inputs.flatMap(
    (path) => /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(folders)].sort();
}
