import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import manifest from '../../package.json' with { type: 'json' };

/** The release that these sources are, and one that could come after it: its records, and a table of its ledger, differ. */
export const OLD_RELEASE = manifest.version;
export const NEXT_RELEASE = '99.0.0';
/** The kinds of records that have a member more in the next release. */
export const GROWN = ['job', 'chunk', 'order', 'eUICC', 'commit'] as const;

const ROOT = join(import.meta.dirname, '../..');

type Patch = readonly [from: string | RegExp, to: string];
type Patches = Readonly<Record<string, readonly Patch[]>>;

/** In both: what takes minutes in use takes seconds here. */
const FASTER: Patches = {
  'shared/service/upgrade/stored-form.ts': [
    ['LOOK_MS = 30_000', 'LOOK_MS = 1_000'],
    ['SAID_MS = 60_000', 'SAID_MS = 1_000'],
    ['SILENT_MS = 3 * 60_000', 'SILENT_MS = 10_000'],
  ],
  'shared/upkeep.ts': [
    [
      "embedded: { pauseMs: 30_000, trouble: 'alarm.form.unread'",
      "embedded: { pauseMs: 1_000, trouble: 'alarm.form.unread'",
    ],
  ],
};

const grown = (kind: (typeof GROWN)[number]): Patch => [`recordOf('${kind}', `, `grown('${kind}', `];
const importing = [
  /import \{([^}]*)\brecordOf\b([^}]*)\} from '.\/record.ts';/,
  "import {$1recordOf$2} from './record.ts';\nimport { grown } from './record.ts';",
] as const;

const NEXT: Patches = {
  'package.json': [[`"version": "${OLD_RELEASE}"`, `"version": "${NEXT_RELEASE}"`]],
  'shared/service/records/forms.ts': [['NEWEST_FORM = 1', 'NEWEST_FORM = 2']],
  'shared/service/records/record.ts': [
    ["} from './schema.ts';", "  optional,\n  text as wording,\n} from './schema.ts';"],
    [
      /$/,
      `
/** As recordOf, with a member more from form 2 on: which release the record was written by; also in a job inside another record. */
export function grown(kind, shape) {
  const lower = ({ writtenBy, job, ...one }) => ({ ...one, ...(job && { job: lower(job) }) });
  const lift = (one) => ({ ...one, writtenBy: 'a release before' });
  const kept = recordOf(kind, { ...shape, writtenBy: optional(wording) }, { steps: [{ form: 2, lift, lower }] });
  const filled = (record) => ({ ...record, writtenBy: '${NEXT_RELEASE}' });
  return { ...kept, to: (record) => kept.to(filled(record)), toObject: (record) => kept.toObject(filled(record)) };
}
`,
    ],
  ],
  'shared/service/records/job.ts': [
    grown('job'),
    grown('chunk'),
    importing,
    // these stand in the commit record too
    ['jobMembers = {', 'jobMembers = { writtenBy: optional(text),'],
  ],
  'shared/service/records/locked-records.ts': [grown('commit'), importing],
  'shared/service/records/order.ts': [grown('order'), importing],
  'shared/service/records/euicc.ts': [grown('eUICC'), importing],
  'shared/ledger/sqlite.ts': [
    ['schemaVersion: 3,', "schemaVersion: 4,\n  steps: { 3: 'CREATE TABLE later (name TEXT);' },"],
    ['  schema: `', '  schema: `CREATE TABLE IF NOT EXISTS later (name TEXT);'],
  ],
};

/** Both releases, each as a file that Node runs, and one beside it for its threads. */
export async function buildBoth(folder: string): Promise<{ readonly old: string; readonly next: string }> {
  const [old, next] = [join(folder, 'old.mjs'), join(folder, 'next.mjs')];
  await bundle(old, [FASTER]);
  await bundle(next, [FASTER, NEXT]);
  return { old, next };
}

async function bundle(file: string, patches: readonly Patches[]): Promise<void> {
  const patched = new Set<string>();
  await bundleOne('release/entry.ts', file, patches, patched);
  await bundleOne('release/threads-entry.ts', file.replace('.mjs', '-threads.mjs'), patches, patched);
  for (const path of patches.flatMap(Object.keys))
    if (!patched.has(path)) throw new Error(`${path} is in no bundle`);
}

/** `patched` hears of each file that was another one. */
async function bundleOne(
  entry: string,
  outfile: string,
  patches: readonly Patches[],
  patched: Set<string>,
): Promise<void> {
  await build({
    entryPoints: [join(ROOT, entry)],
    absWorkingDir: ROOT,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    keepNames: true,
    logLevel: 'error',
    plugins: patches.flatMap((all) =>
      Object.entries(all).map(([path, list]) => patching(path, list, patched)),
    ),
  });
}

/** A source as the next release has it; what is not found in it is a mistake here. */
function patchedText(path: string, patches: readonly Patch[]): string {
  let text = readFileSync(join(ROOT, path), 'utf8');
  for (const [from, to] of patches) {
    const patched = text.replace(from, to);
    if (patched === text) throw new Error(`${path} has no ${from}`);
    text = patched;
  }
  return text;
}

/** The files that are other ones in the next release. */
export const nextSources = (): readonly string[] =>
  [FASTER, NEXT].flatMap((all) =>
    Object.entries(all).map(([path, patches]) => patchedText(path, patches) && path),
  );

/** The sources with what the next release has changed. */
function patching(path: string, patches: readonly Patch[], patched: Set<string>): Plugin {
  return {
    name: `patched ${path}`,
    setup({ onLoad }) {
      onLoad({ filter: new RegExp(`/${path.replaceAll('.', '\\.')}$`) }, ({ path: file }) => {
        if (file !== join(ROOT, path)) return undefined;
        patched.add(path);
        const contents = patchedText(path, patches);
        return { contents, loader: path.endsWith('.json') ? 'json' : 'ts' };
      });
    },
  };
}
