import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { SITE_FOLDER } from '../console/server/site-files.ts';
import type { OperatorConfig } from './config.ts';
import { entryOf } from './entry.ts';
import {
  CONSOLE_LAMBDA,
  type FunctionNeeds,
  functionNames,
  LAMBDAS,
  type LambdaName,
  resourceName,
  SHARED_LAMBDAS,
} from './functions.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Folder of each function's bundle: `index.mjs`, what it loads on demand, and source maps. */
export type Bundles = Readonly<Record<LambdaName, string>>;

/**
 * Bundles functions, all unless named, for Lambda: ES modules for Node 24, minified, with source maps; what is imported on demand
 * stays apart, so that a cold start reads no more than it runs. AWS SDK clients are bundled, at the versions that the
 * tests ran with.
 *
 * For an emulator the functions that parties call take the client certificate from a header instead of TLS: another
 * entry, which no production bundle contains.
 */
export async function bundleFunctions(
  target: OperatorConfig['target'],
  folder: string,
  names: readonly LambdaName[] = [...functionNames, CONSOLE_LAMBDA],
): Promise<Bundles> {
  rmSync(folder, { recursive: true, force: true });
  const bundles = await Promise.all(
    names.map(async (name): Promise<[LambdaName, string]> => {
      const outdir = join(folder, resourceName(name));
      mkdirSync(outdir, { recursive: true });
      await bundleFunction(
        entryOf(name, target),
        LAMBDAS[name],
        name === CONSOLE_LAMBDA || Object.hasOwn(SHARED_LAMBDAS, name),
        outdir,
      );
      if (name === CONSOLE_LAMBDA && existsSync(SITE_FOLDER))
        cpSync(SITE_FOLDER, join(outdir, 'site'), { recursive: true });
      return [name, outdir];
    }),
  );
  return Object.fromEntries(bundles) as Bundles;
}

/** `entry` is the text of a module at the root of the project. */
async function bundleFunction(
  entry: string,
  needs: FunctionNeeds,
  forPeople: boolean,
  outdir: string,
): Promise<void> {
  await build({
    stdin: { contents: entry, resolveDir: ROOT, sourcefile: 'index.ts', loader: 'ts' },
    outdir,
    entryNames: 'index',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    // error names are part of what the log tells
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    // licences are told beside the code, and not read at each cold start
    legalComments: 'external',
    mainFields: ['module', 'main'],
    // the SDK loads it in browsers alone, to say which one it is
    external: ['bowser'],
    // some dependencies are CommonJS and ask for built-in modules by require
    banner: {
      js: "import { createRequire as smdpfRequire } from 'node:module'; const require = smdpfRequire(import.meta.url);",
    },
    logLevel: 'silent',
    plugins: [leaveOut(absentFrom(needs, forPeople))],
  });
}

/** Adapters that no function on Lambda uses. */
const EMBEDDED = [
  'shared/jobs/task-queue.ts',
  'shared/jobs/worker-lane.ts',
  'shared/keys/pem.ts',
  'shared/keys/pkcs11.ts',
  'shared/keys/softkey.ts',
  'shared/ledger/sqlite.ts',
  'shared/vault/file-ppk.ts',
  'shared/vault/file.ts',
];

/** Adapters of the ports that a function has no right to. */
function absentFrom(needs: FunctionNeeds, forPeople: boolean): ReadonlySet<string> {
  const absent = [...EMBEDDED];
  if (!forPeople) absent.push('shared/service/inventory/open.ts');
  if (needs.vault === undefined) absent.push('shared/vault/s3.ts');
  if (needs.ppks === undefined) absent.push('shared/vault/dynamodb-ppk.ts');
  if (needs.keys === undefined) absent.push('shared/keys/awskms.ts');
  if (needs.dispatcher === undefined) absent.push('shared/jobs/step-functions.ts');
  if (needs.notifier === undefined)
    // who posts no callbacks makes no client certificate for them either
    absent.push('shared/notify/sqs.ts', 'shared/notify/ledger-notifier.ts', 'shared/pki/issue.ts');
  return new Set(absent);
}

/** Puts in the place of a module one that says, when it is loaded, that it was left out. */
function leaveOut(absent: ReadonlySet<string>): Plugin {
  return {
    name: 'leave-out',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const name = relative(ROOT, path);
        if (!absent.has(name)) return undefined;
        return { contents: `throw new Error(${JSON.stringify(`${name} is not part of this function`)});` };
      });
    },
  };
}

/** Octets of a bundle at most, which a cold start may have to read. Nobody waits in a factory for what people look at. */
export function bundleLimit(name: LambdaName): number {
  if (name === CONSOLE_LAMBDA) return 2_000_000;
  return Object.hasOwn(SHARED_LAMBDAS, name) ? 1_700_000 : 1_600_000;
}

/** Octets of a bundle that Lambda loads from: all but the source maps. */
export function bundleSize(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.mjs'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
