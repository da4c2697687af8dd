import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './documents.ts';

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly uses?: string; readonly run?: string }[] }>
  >;
}

const folder = join(ROOT, '.github/workflows');
const workflows = readdirSync(folder).map((name): [string, Workflow] => [
  name,
  parse(readFileSync(join(folder, name), 'utf8')) as Workflow,
]);
const steps = ({ jobs }: Workflow) => Object.values(jobs).flatMap((job) => job.steps);

it.each(workflows)('%s pins each action by commit, and may read alone', (_, workflow) => {
  for (const { uses } of steps(workflow)) if (uses !== undefined) expect(uses).toMatch(/@[0-9a-f]{40}$/);
  expect(workflow.permissions).toEqual({ contents: 'read' });
});

it('the public CI runs what .ci/run does, and nothing beside it', () => {
  const ci = workflows.find(([name]) => name === 'ci.yml')![1];
  expect(steps(ci).flatMap(({ run }) => run ?? [])).toEqual(['bash .ci/run']);
});

it.each(['bug.yml', 'change.yml', 'interoperability.yml'])(
  'the issue template %s is a form with a name',
  (name) => {
    const form = parse(readFileSync(join(ROOT, '.github/ISSUE_TEMPLATE', name), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    expect(form.body).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: expect.any(String) })]),
    );
  },
);
