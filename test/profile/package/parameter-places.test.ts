import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../shared/errors.ts';
import type { Parameter } from '../../../shared/profile/package/parameter.ts';
import { PARAMETERS } from '../../../shared/profile/package/parameters.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { EVERY_VALUE, ownTemplate } from './support/packages.ts';

/** Where a parameter has to stand (CONTRIBUTING.md, "Add a personalisation parameter"): whatever is missing is named. */
const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

const isParameter = (value: unknown): value is Parameter =>
  typeof value === 'object' && value !== null && 'bind' in value && 'name' in value && 'secret' in value;

/** The parameters that a module of parameters/ exports, alone or in a list. */
async function exported(file: string): Promise<string[]> {
  const module: Record<string, unknown> = await import(
    new URL(`shared/profile/package/parameters/${file}`, ROOT).href
  );
  return Object.values(module)
    .flat()
    .filter(isParameter)
    .map(({ name }) => name);
}

it('every parameter that a module of parameters/ makes is in the list of parameters', async () => {
  const files = readdirSync(new URL('shared/profile/package/parameters', ROOT));
  const made = (await Promise.all(files.map(exported))).flat();
  expect(made.length).toBeGreaterThan(30);
  const listed = PARAMETERS.map(({ name }) => name);
  expect(made.filter((name) => !listed.includes(name))).toEqual([]);
});

describe.each(PARAMETERS)('the parameter $name', ({ name, secret }) => {
  it('is the only one of this name', () => {
    expect(PARAMETERS.filter((parameter) => parameter.name === name)).toHaveLength(1);
  });

  it('is in the table of docs/profiles.md, and secret there where it is', () => {
    const table = read('docs/profiles.md').split('\n## Parameters\n')[1]!.split('\n## ')[0]!.split('\n');
    const line = table.find((row) => row.split('|')[1]?.includes(`\`${name}\``));
    expect(line).toBeDefined();
    expect(line!.includes('**secret**')).toBe(secret);
  });

  it('has a value in EVERY_VALUE, which is written and read back in every template', () => {
    // an OP stands against the OPc that is there
    expect(Object.keys(EVERY_VALUE)).toContain(name === 'op' ? 'opc' : name);
  });

  it('refuses what is no value of it by its name, and does not repeat it', () => {
    const bad = 'x'.repeat(601);
    const refusal = refusalIn(() => {
      const options = { profileClass: 'test', parameters: [name] } as const;
      personalise(compileTemplate(ownTemplate(), options), { [name]: bad });
    });
    // an ICCID has a refusal of its own, which is its name
    const expected = name === 'iccid' ? ['iccidInvalid', undefined] : ['personalisationInvalid', name];
    expect([refusal.code, refusal.subjectIdentifier]).toEqual(expected);
    expect(refusal.message).not.toContain(bad);
  });
});

function refusalIn(run: () => void): Refusal {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
