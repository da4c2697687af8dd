import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../shared/errors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WEB = join(ROOT, 'console', 'web');

/** What the pages are made from is no part of the server: it is installed here alone, where somebody builds them. */
const STEPS: readonly (readonly [what: string, command: string, ...args: string[]])[] = [
  [
    'types of the interface',
    join(WEB, 'node_modules/.bin/openapi-typescript'),
    '../../shared/ifpp-draft1/openapi.yaml',
    '-o',
    'src/api/schema.gen.ts',
  ],
  ['types of the pages', join(ROOT, 'node_modules/.bin/tsc'), '-p', '.'],
  ['pages', join(WEB, 'node_modules/.bin/vite'), 'build'],
];

/** What the pages are made of; they share describers of artefacts and some words with the server. */
const SOURCES = ['console/web', 'shared', 'cli'] as const;
const MADE = /(^|\/)(node_modules|dist)(\/|$)|schema\.gen\.ts$/;
/** What they were made of when they were made; in a folder that nobody packs. */
const MADE_OF = join(WEB, 'node_modules', '.pages-made-of');

/**
 * Installs what the pages need, where it is not there as the lock file has it, and builds them: about a minute. Pages that
 * were made of the same sources stay, so that nobody who reads them meanwhile finds half of them.
 */
export async function buildConsole(say: (text: string) => void): Promise<void> {
  if (!isInstalled()) {
    say('installing what the pages are made from');
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const sources = hashOfSources();
  if (isMadeOf(sources)) return say('the pages are as their sources have them');
  for (const [what, command, ...args] of STEPS) {
    say(`making the ${what}`);
    await run(command, args);
  }
  writeFileSync(MADE_OF, sources);
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const folder of SOURCES) {
    const files = globSync(`${folder}/**/*`, { cwd: ROOT, exclude: (path) => MADE.test(path) });
    for (const file of files.sort()) {
      const path = join(ROOT, file);
      if (!statSync(path).isFile()) continue;
      const octets = readFileSync(path);
      hash.update(`${file}\n${octets.length}\n`).update(octets);
    }
  }
  return hash.digest('hex');
}

const isMadeOf = (sources: string): boolean =>
  existsSync(join(WEB, 'dist', 'index.html')) &&
  existsSync(MADE_OF) &&
  readFileSync(MADE_OF, 'utf8') === sources;

function isInstalled(): boolean {
  const installed = join(WEB, 'node_modules', '.package-lock.json');
  return (
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(WEB, 'package-lock.json')).mtimeMs
  );
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: WEB, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    const failed = (why: string, cause?: unknown) =>
      reject(new Fault('configuration', `the console cannot be built: ${why}`, { cause }));
    child.on('error', (cause) => failed(`${command} does not start`, cause));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else failed(`${command} ended with ${code}: ${Buffer.concat(output).toString('utf8').slice(-2_000)}`);
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  await buildConsole((text) => console.log(`smdpf ${version}: ${text}`));
}
