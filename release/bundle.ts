import { isAscii } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { siteFiles } from '../console/server/site-files.ts';
import { Fault } from '../shared/errors.ts';

export const ROOT = resolve(import.meta.dirname, '..');

/** A bundle and the packages that are in it. */
export interface Bundle {
  readonly file: string;
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
 * All of `smdpf` as one file: an ES module for Node, or CommonJS, which is what an executable begins with. Commands, stores and
 * AWS clients inside are still run when they are first needed. The same sources give the same octets.
 */
export async function bundle(file: string, format: keyof typeof FORMATS): Promise<Bundle> {
  const { banner, define } = FORMATS[format];
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'release/entry.ts')],
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
    banner: { js: format === 'esm' ? `#!/usr/bin/env node\n${banner}` : banner },
    define: { ...define },
    plugins: [console],
    logLevel: 'warning',
  });
  // every thread of a server holds the text, in two octets a character where one of them is beyond Latin-1
  if (!isAscii(await readFile(file)))
    throw new Fault('configuration', 'the bundle has a character that is not ASCII: write it as an escape');
  return { file, packages: packagesOf(metafile) };
}

/** The console's pages go inside, and nothing of the bundle builds them anew. */
const console: Plugin = {
  name: 'console',
  setup({ onLoad }) {
    onLoad({ filter: /console\/server\/site-files\.ts$/ }, async () => {
      const files = [...(await siteFiles())].map(([path, content]) => [
        path,
        Buffer.from(content).toString('base64'),
      ]);
      if (files.length === 0) throw new Fault('configuration', 'the pages of the console are not built');
      return {
        contents: `
          const files = ${JSON.stringify(files)};
          export const siteFiles = async () =>
            new Map(files.map(([path, content]) => [path, Buffer.from(content, 'base64')]));`,
      };
    });
    onLoad({ filter: /console\/build\/build\.ts$/ }, () => ({
      contents: `export const buildConsole = async () => { throw new Error('the pages are inside'); };`,
    }));
  },
};

/** `node_modules/@scope/name`, also of packages inside others; from this folder, or from another that a link leads to. */
function packagesOf({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap(
    (path) => /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(folders)].sort();
}
