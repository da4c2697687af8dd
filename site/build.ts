/**
 * `npm run docs`: the documents, the reference of the interface and the evidence as static pages, in site/dist. They are read
 * from a folder as well as from a server; `SMDPF_DOCS_BASE=/path/` is for a server that has them below a path.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../shared/errors.ts';
import { checkSite } from './check.ts';
import { stage } from './stage.ts';

const SITE = import.meta.dirname;
export const SITE_OUT = join(SITE, 'dist');

/** Installs VitePress where it is not there as the lock file has it, builds the pages, and checks every link: half a minute. */
export function buildSite(say: (text: string) => void): void {
  if (!isInstalled()) {
    say('installing what the pages are made with');
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  stage();
  say('making the pages');
  run(process.execPath, [join(SITE, 'node_modules/vitepress/bin/vitepress.js'), 'build', '.']);
  if ((process.env.SMDPF_DOCS_BASE ?? '/') === '/') makeRelative(SITE_OUT);
  const findings = checkSite(SITE_OUT);
  for (const { file, what } of findings) say(`${file} ${what}`);
  if (findings.length > 0)
    throw new Fault('configuration', `the documents have ${findings.length} links that lead nowhere`);
  say(`${pagesOf(SITE_OUT).length} pages, every link holds: ${SITE_OUT}/index.html`);
}

function isInstalled(): boolean {
  const installed = join(SITE, 'node_modules', '.package-lock.json');
  return (
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(SITE, 'package-lock.json')).mtimeMs
  );
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: SITE, encoding: 'utf8' });
  if (status !== 0)
    throw new Fault('configuration', `${command} ended with ${status}: ${stdout}${stderr}`.slice(-4_000));
}

const pagesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));

/** Links and what is loaded, from the page on, so that a folder of pages can be opened where it lies. */
function makeRelative(folder: string): void {
  for (const name of pagesOf(folder)) {
    const up = posix.relative(posix.dirname(name.replaceAll('\\', '/')), '') || '.';
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace(
        /(\s(?:href|src)=")\/(?!\/)([^"]*)"/g,
        (_, before: string, path: string) =>
          `${before}${up}/${path === '' || path.startsWith('#') ? `index.html${path}` : path}"`,
      ),
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildSite((text) => console.log(`docs: ${text}`));
