import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { auditPersonalisation } from '../../shared/profile/package/audit.ts';
import { OWN_PROFILE, ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { csvOf, jsonLinesOf, secretRows } from '../support/row-sources.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const template = folder.write('template.der', ownTemplate());
const rows = secretRows(3);
const out = folder.write('profile.der', '');

const personalise = (file: string, row: number) => [
  'profile',
  'personalise',
  '--template',
  template,
  '--rows',
  file,
  '--row',
  String(row),
  '--out',
  out,
  '--json',
];

describe('smdpf profile', () => {
  it.each([
    ['CSV', csvOf],
    ['JSON lines', jsonLinesOf],
  ] as const)('personalise makes the profile of a row: %s', async (_, encode) => {
    const { code, json } = await runCli(...personalise(folder.write('rows', encode(rows)), 2));
    expect(code).toBe(0);
    expect(json()).toMatchObject({ row: 2, parameters: Object.keys(rows[1]!) });
    const findings = auditPersonalisation(readFileSync(out), rows[1]!);
    expect(findings.filter((finding) => finding.code === 'differs')).toEqual([]);
  });

  it('personalise names row and column of a bad value, and not the value', async () => {
    const bad = rows.map((row, i) => (i === 2 ? { ...row, k: 'zz'.repeat(16) } : row));
    const { code, json, stderr } = await runCli(...personalise(folder.write('bad.csv', csvOf(bad)), 3));
    expect(code).toBe(1);
    const { error } = json<ErrorDocument>();
    expect(error).toMatchObject({ code: 'personalisationInvalid', subjectIdentifier: 'row:3:k' });
    expect(`${error.message}${stderr}`).not.toContain('zz');
  });

  it('check finds nothing wrong with the own template, and what is wrong with a cut one', async () => {
    const good = await runCli('profile', 'check', template, '--json');
    expect(good.code).toBe(0);
    expect(good.json()).toMatchObject({ errors: 0 });
    const cut = folder.write('cut.der', ownTemplate().subarray(0, -3));
    const bad = await runCli('profile', 'check', cut, '--json');
    expect(bad.code).toBe(1);
    expect(bad.json<{ errors: number }>().errors).toBeGreaterThan(0);
  });

  it('show tells PEs and parameters and no secret', async () => {
    await runCli(...personalise(folder.write('rows.csv', csvOf(rows)), 1));
    const { json, stdout } = await runCli('profile', 'show', out, '--json');
    const document = json<{ elements: { name: string }[] }>();
    expect(document.elements.map(({ name }) => name).slice(1, -1)).toEqual(
      OWN_PROFILE.elements.map(({ pe }) => pe),
    );
    for (const name of ['k', 'opc', 'scp80.01.enc'])
      expect(stdout.toLowerCase()).not.toContain(rows[0]![name]);
  });

  it('diff tells what a row changed, and nothing between a package and itself', async () => {
    await runCli(...personalise(folder.write('rows.csv', csvOf(rows)), 1));
    expect((await runCli('profile', 'diff', out, out, '--json')).code).toBe(0);
    const { code, json } = await runCli('profile', 'diff', template, out, '--json');
    expect(code).toBe(1);
    const { differences } = json<{ differences: { pe: string }[] }>();
    expect([...new Set(differences.map(({ pe }) => pe))]).toEqual([
      'header',
      'mf',
      'pukCodes',
      'pinCodes',
      'usim',
      'akaParameter',
      'securityDomain',
    ]);
  });

  it('template writes the own template', async () => {
    const { code } = await runCli('profile', 'template', '--out', out);
    expect(code).toBe(0);
    expect(readFileSync(out).equals(Buffer.from(ownTemplate()))).toBe(true);
  });
});
