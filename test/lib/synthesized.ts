import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Bundles } from '../../lib/bundle.ts';
import type { OperatorConfig } from '../../lib/config.ts';
import { CONSOLE_LAMBDA, functionNames } from '../../lib/functions.ts';
import { OperatorStack } from '../../lib/operator-stack.ts';

let empty: Bundles | undefined;

/** Bundles of nothing: what they contain is another test's matter. The same for all tests of a process. */
export function emptyBundles(): Bundles {
  empty ??= makeEmptyBundles();
  return empty;
}

function makeEmptyBundles(): Bundles {
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-bundle-'));
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => undefined;\n');
  return Object.fromEntries([...functionNames, CONSOLE_LAMBDA].map((name) => [name, folder])) as Bundles;
}

/** An application with the context of cdk.json: what `cdk synth` would make. */
export function app(): App {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  return new App({ context });
}

/** Of each configuration one, which tests read and do not change: a synthesis takes a second. */
const templates = new Map<string, Template>();

export function templateOf(config: OperatorConfig, bundles = emptyBundles()): Template {
  const synthesized = () =>
    Template.fromStack(new OperatorStack(app(), `smdpf-${config.name}`, config, bundles));
  if (bundles !== empty) return synthesized();
  const key = JSON.stringify(config);
  const template = templates.get(key) ?? synthesized();
  templates.set(key, template);
  return template;
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** Every statement of every policy of a template, with the logical ID of its resource. */
export function statementsOf(template: Template): { id: string; type: string; statement: Statement }[] {
  const resources = template.toJSON().Resources as Record<
    string,
    { Type: string; Properties?: Record<string, unknown> }
  >;
  return Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) =>
    ['PolicyDocument', 'KeyPolicy', 'AssumeRolePolicyDocument'].flatMap((member) => {
      const document = Properties[member] as { Statement: Statement[] } | undefined;
      return (document?.Statement ?? []).map((statement) => ({ id, type: Type, statement }));
    }),
  );
}

export const actionsOf = ({ Action }: Statement): readonly string[] => [Action].flat() as string[];
