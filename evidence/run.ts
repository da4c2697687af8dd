/**
 * `npm run evidence`: runs every file with a test that names a requirement, and writes evidence/out/ (report.json, junit.xml,
 * index.md). Ends with 1 where a row is red or a test is an orphan. Arguments: release files whose hashes the report has too.
 * With `--results FILE` nothing is run again: the results are those of `SMDPF_EVIDENCE_RESULTS=FILE npm test`, with the
 * JUnit file that it left beside them.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { provenance } from './provenance.ts';
import { pageOf, reportOf } from './report.ts';
import { readRequirements } from './requirements.ts';
import { type TestResult, trace } from './trace.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(import.meta.dirname, 'out');
const RESULTS = join(OUT, 'results.json');

const { values: options, positionals: artefacts } = parseArgs({
  options: { results: { type: 'string' } },
  allowPositionals: true,
});
const given = options.results === undefined ? undefined : resolve(options.results);
process.chdir(ROOT);
if (given === undefined || !given.startsWith(`${OUT}/`)) rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const status = given === undefined ? runTests() : 0;
const results = JSON.parse(readFileSync(given ?? RESULTS, 'utf8')) as TestResult[];
const report = reportOf(trace(readRequirements(), results), provenance(new Date(), artefacts));
writeFileSync(join(OUT, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
writeFileSync(join(OUT, 'index.md'), pageOf(report));
for (const { id, coverage, rule } of report.requirements.filter(({ red }) => red))
  console.log(`RED ${id} (${coverage}): ${rule}`);
for (const { tag, why, file, name } of report.orphans) console.log(`ORPHAN ${tag}: ${why}: ${file}: ${name}`);
console.log(`evidence/out/index.md: ${report.green ? 'green' : 'RED'}, ${JSON.stringify(report.counts)}`);
process.exitCode = report.green && status === 0 ? 0 : 1;

function runTests(): number | null {
  return spawnSync('npx', ['vitest', 'run', '--mode', 'evidence'], {
    stdio: 'inherit',
    env: { ...process.env, SMDPF_EVIDENCE_RESULTS: RESULTS },
  }).status;
}
