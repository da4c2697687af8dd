import type { Template } from 'aws-cdk-lib/assertions';
import { actionsOf, type Statement } from './synthesized.ts';

/** The policies of a template as AWS weighs them: references resolved, then held against a request. */

export const REGION = 'eu-central-1';
export const ACCOUNT = '111111111111';

/** A console as an Operator has it. */
export const CONSOLE = {
  name: 'console.mobile.example.com',
  certificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/2`,
  issuer: 'https://login.mobile.example.com',
  clientId: 'smdpf-console',
  rolesClaim: 'groups',
  viewers: ['smdpf-viewers'],
  administrators: ['smdpf-administrators'],
};
export const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
/** ARN that a resource of the template would have: of its logical ID. */
export const arnOf = (id: string) => `arn:aws:made:${REGION}:${ACCOUNT}:${id}`;

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'smdpf-test',
};

/** A value of a template with Ref, Fn::GetAtt, Fn::Join and Fn::Select of Fn::Split worked out. */
export function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Record<string, unknown>;
  if (typeof members.Ref === 'string') return PSEUDO[members.Ref] ?? arnOf(members.Ref);
  if ('Fn::GetAtt' in members) {
    const [id, attribute] = [members['Fn::GetAtt']].flat(2) as string[];
    return attribute === 'Arn' ? arnOf(id!) : `${arnOf(id!)}.${attribute}`;
  }
  if ('Fn::Join' in members) {
    const [between, parts] = members['Fn::Join'] as [string, unknown[]];
    return parts.map(resolved).join(between);
  }
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, resolved(member)]));
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
}

const resourcesOf = (template: Template) =>
  Object.entries(template.toJSON().Resources as Record<string, Resource>);

/** Logical ID of the one resource of a type whose ID begins so. */
export function idOf(template: Template, type: string, beginning: string): string {
  const found = resourcesOf(template)
    .filter(([id, { Type }]) => Type === type && id.startsWith(beginning))
    .map(([id]) => id);
  if (found.length !== 1) throw new Error(`${found.length} of ${type} begin with ${beginning}`);
  return found[0]!;
}

export interface Request {
  /** ARN of a role or an account, or the name of a service. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

export type Verdict = 'allowed' | 'denied' | 'silent';

/** What the policies attached to a role say: its own, and managed ones that name it. */
export function byRole(template: Template, role: string, request: Omit<Request, 'principal'>): Verdict {
  const statements = resourcesOf(template)
    .filter(
      ([, { Type, Properties }]) =>
        Type === 'AWS::IAM::Policy' && (resolved(Properties?.Roles) as string[])?.includes(arnOf(role)),
    )
    .flatMap(([, { Properties }]) => documentOf(Properties, 'PolicyDocument'));
  return weigh(statements, { ...request, principal: arnOf(role) });
}

/** What the policy of a resource says: of a key its own, else the policy resource that `id` names. */
export function byResource(template: Template, id: string, request: Request): Verdict {
  const { Type, Properties } = Object.fromEntries(resourcesOf(template))[id]!;
  return weigh(documentOf(Properties, Type === 'AWS::KMS::Key' ? 'KeyPolicy' : 'PolicyDocument'), request);
}

const documentOf = (properties: Record<string, unknown> | undefined, member: string): Statement[] =>
  (resolved(properties?.[member]) as { Statement: Statement[] }).Statement;

export function weigh(statements: readonly Statement[], request: Request): Verdict {
  const fitting = statements.filter((statement) => fits(statement, request));
  if (fitting.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return fitting.length > 0 ? 'allowed' : 'silent';
}

function fits(statement: Statement, { principal, action, resource, context = {} }: Request): boolean {
  const principals = principalsOf(statement.Principal);
  return (
    actionsOf(statement).some((pattern) => like(pattern, action)) &&
    [statement.Resource ?? '*'].flat().some((pattern) => like(String(pattern), resource)) &&
    (principals === undefined || principals.includes('*') || principals.includes(principal)) &&
    Object.entries((statement.Condition ?? {}) as Record<string, Record<string, unknown>>).every(
      ([operator, tests]) =>
        Object.entries(tests).every(([key, wanted]) =>
          holds(
            operator,
            [wanted].flat().map((one) => String(one)),
            context[key],
          ),
        ),
    )
  );
}

function principalsOf(principal: unknown): string[] | undefined {
  if (principal === undefined || typeof principal === 'string')
    return principal === undefined ? undefined : [principal];
  return Object.values(principal as object).flat() as string[];
}

function holds(operator: string, wanted: readonly string[], value: string | undefined): boolean {
  if (operator === 'Null') return wanted[0] === String(value === undefined);
  // of a key with one value here; of none it is true
  if (operator === 'ForAllValues:StringEquals') return value === undefined || wanted.includes(value);
  if (value === undefined) return false;
  if (operator === 'StringEquals' || operator === 'Bool' || operator === 'NumericLessThan')
    return operator === 'NumericLessThan' ? Number(value) < Number(wanted[0]) : wanted.includes(value);
  if (operator === 'ArnLike' || operator === 'StringLike')
    return wanted.some((pattern) => like(pattern, value));
  throw new Error(`no rule for the condition ${operator}`);
}

function like(pattern: string, value: string): boolean {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`).test(value);
}
