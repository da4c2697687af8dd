import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

describe('the example of a pipeline', () => {
  const { concurrency, defaults, jobs } = parse(readFileSync('examples/deploy.yml', 'utf8')) as {
    concurrency: { group: string; 'cancel-in-progress': boolean };
    defaults: { run: { shell: string } };
    jobs: Record<string, { steps: { run?: string; with?: Record<string, string | number> }[] }>;
  };

  it('fails a step whose first command fails before a pipe, which GitHub asks for by name', () => {
    expect(defaults.run.shell).toBe('bash');
  });

  it('has pull requests wait in no line of deployments, and breaks none off', () => {
    expect(concurrency.group).toContain('github.ref');
    expect(concurrency['cancel-in-progress']).toBe(false);
  });

  it('has the pages of a console before each synthesis, and credentials for as long as a canary takes', () => {
    const steps = Object.values(jobs).map((job) => job.steps.map(({ run = '' }) => run).join('\n'));
    const synthesizing = steps.filter((text) => /npx cdk |templates\.sh/.test(text));
    expect(synthesizing).toHaveLength(4);
    for (const text of synthesizing)
      expect(text.indexOf('console:build')).toBeLessThan(text.search(/npx cdk |templates\.sh/));
    for (const text of synthesizing) expect(text).toContain('console:build');
    const session = jobs.deploy!.steps.find(({ with: of }) =>
      String(of?.['role-to-assume']).includes('AWS_DEPLOY'),
    );
    expect(session?.with?.['role-duration-seconds']).toBe(7_200);
  });
});
