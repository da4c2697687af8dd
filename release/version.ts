import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { Fault } from '../shared/errors.ts';
import { ROOT } from './bundle.ts';

/** What is released, and of which commit. */
export interface Version {
  readonly version: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** When the commit was made: the date of all that is built of it, so that two builds are the same. */
  readonly date: Date;
  /** Whether the sources are those of the commit. */
  readonly clean: boolean;
}

/**
 * The version of package.json at the commit that is checked out. The one tag rule: the commit of a release carries the tag
 * `v` and the version, and CHANGELOG.md has the version as a heading with its date. A commit with a tag that begins with `v`
 * and breaks it is not built.
 */
export function versionAtHead(): Version {
  const { version } = manifest;
  const tags = git('tag', '--points-at', 'HEAD').split('\n');
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  checkTags(version, tags, changelog);
  return {
    version,
    commit: git('rev-parse', 'HEAD'),
    date: new Date(Number(git('log', '-1', '--format=%ct')) * 1000),
    clean: git('status', '--porcelain', '--untracked-files=no') === '',
  };
}

export function checkTags(version: string, tags: readonly string[], changelog: string): void {
  const released = tags.filter((tag) => /^v\d/.test(tag));
  for (const tag of released) {
    if (tag !== `v${version}`)
      throw new Fault(
        'configuration',
        `the commit has the tag ${tag}, and package.json the version ${version}`,
      );
  }
  if (!changelog.includes(`\n## ${version}`))
    throw new Fault('configuration', `CHANGELOG.md has no heading "## ${version}"`);
  const dated = changelog.split('\n').some((line) => line.startsWith(`## ${version} (`) && DATE.test(line));
  if (released.length > 0 && !dated)
    throw new Fault('configuration', `CHANGELOG.md gives ${version} no date, and the commit has its tag`);
}

const DATE = / \(\d{4}-\d\d-\d\d\)$/;

const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
