import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

/** What evidence/requirements.yaml says of one requirement; exactly one of the last four members is there. */
export interface Requirement {
  /** What tests carry as their tag: `GENS04`. */
  readonly id: string;
  /** Of the meaning of the rule, from 1 on; tests of a later one carry `GENS04~2`. */
  readonly revision?: number;
  readonly rule: string;
  readonly source: string;
  readonly coveredBy?: 'tests';
  readonly design?: { readonly where: readonly string[]; readonly how: string };
  readonly notApplicable?: { readonly duty: string; readonly why: string };
  readonly open?: string;
}

export interface RequirementGroup {
  readonly title: string;
  readonly requirements: readonly Requirement[];
}

const text = { type: 'string', minLength: 1 } as const;
const members = <const P extends object>(properties: P, required: readonly (keyof P & string)[]) =>
  ({ type: 'object', additionalProperties: false, properties, required }) as const;
/** What shows it: one of these and no other. */
const SHOWN_BY = ['coveredBy', 'design', 'notApplicable', 'open'] as const;

const requirement = {
  ...members(
    {
      id: { type: 'string', pattern: '^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$' },
      revision: { type: 'integer', minimum: 1 },
      rule: text,
      source: text,
      coveredBy: { type: 'string', enum: ['tests'] },
      design: {
        ...members({ where: { type: 'array', minItems: 1, items: text }, how: text }, ['where', 'how']),
      },
      notApplicable: { ...members({ duty: text, why: text }, ['duty', 'why']) },
      open: { ...text },
    },
    ['id', 'rule', 'source'],
  ),
  oneOf: SHOWN_BY.map((name) => ({ required: [name] })),
};

const schema = members(
  {
    groups: {
      type: 'array',
      minItems: 1,
      items: members({ title: text, requirements: { type: 'array', minItems: 1, items: requirement } }, [
        'title',
        'requirements',
      ]),
    },
  },
  ['groups'],
);

const FILE = join(import.meta.dirname, 'requirements.yaml');

/** Those of this repository, with those of whoever runs it in their place or beside them. */
export function readRequirements(more = process.env.SMDPF_REQUIREMENTS): readonly RequirementGroup[] {
  const own = parseRequirements(readFileSync(FILE, 'utf8'));
  if (more === undefined || more === '') return own;
  const others = parseRequirements(readFileSync(more, 'utf8'));
  const replaced = new Map(requirementsOf(others).map((one) => [one.id, one]));
  const ownIds = new Set(requirementsOf(own).map(({ id }) => id));
  const added = others.map(({ title, requirements }) => ({
    title,
    requirements: requirements.filter(({ id }) => !ownIds.has(id)),
  }));
  return [
    ...own.map(({ title, requirements }) => ({
      title,
      requirements: requirements.map((one) => replaced.get(one.id) ?? one),
    })),
    ...added.filter(({ requirements }) => requirements.length > 0),
  ];
}

/** Requirements from a file's content; an error names the place in the file. */
export function parseRequirements(content: string): readonly RequirementGroup[] {
  const document: unknown = parse(content);
  const ajv = new Ajv({ allErrors: true, strictRequired: false });
  const validate = ajv.compile<{ groups: RequirementGroup[] }>(schema);
  if (!validate(document))
    throw new Error(`requirements.yaml: ${ajv.errorsText(validate.errors, { dataVar: '' })}`);
  const { groups } = document;
  const ids = requirementsOf(groups).map(({ id }) => id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (twice.length > 0) throw new Error(`requirements.yaml: ${twice.join(', ')} stands there twice`);
  return groups;
}

export const requirementsOf = (groups: readonly RequirementGroup[]): readonly Requirement[] =>
  groups.flatMap(({ requirements }) => requirements);

/** The tag of a revision: the first one is the ID alone. */
export const tagOf = (id: string, revision = 1): string => (revision === 1 ? id : `${id}~${revision}`);

/** Every tag that a test may carry: those of former revisions too, which cover nothing any more. */
export function tagsOf(groups: readonly RequirementGroup[]): { name: string; description: string }[] {
  return requirementsOf(groups).flatMap(({ id, revision = 1, rule }) =>
    Array.from({ length: revision }, (_, i) => ({ name: tagOf(id, i + 1), description: rule })),
  );
}
