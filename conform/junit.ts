import type { Check } from './conformity.ts';

/** Characters that XML 1.0 has no place for, not even escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu;

const escaped = (text: string) =>
  text
    .replace(NOT_XML, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** A JUnit report: one suite, one case for each check by its identifier, as CI servers read it. */
export function junitOf(suite: string, checks: readonly Check[], at: Date): string {
  const count = (result: Check['result']) => checks.filter((check) => check.result === result).length;
  const counts = `tests="${checks.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}"`;
  const stamp = at.toISOString().slice(0, 19);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="smdpf conform" ${counts}>`,
    `  <testsuite name="${escaped(suite)}" ${counts} time="0" timestamp="${stamp}">`,
    ...checks.map((check) => caseOf(suite, check)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseOf(suite: string, check: Check): string {
  const open = `    <testcase classname="${escaped(suite)}" name="${escaped(check.id)}" time="0"`;
  if (check.result === 'passed') return `${open}/>`;
  if (check.result === 'skipped')
    return `${open}><skipped message="${escaped(check.skipped ?? '')}"/></testcase>`;
  const text = check.findings.map(
    ({ where, expected, seen }) => `${where}\n  expected: ${expected}\n  seen: ${seen}`,
  );
  const more = check.failed > check.findings.length ? [`${check.failed} in all`] : [];
  const type = `${check.document}, ${check.section}`;
  const body = [...text, ...more, `way out: ${check.wayOut}`].join('\n');
  return `${open}><failure message="${escaped(check.says)}" type="${escaped(type)}">${escaped(body)}</failure></testcase>`;
}
