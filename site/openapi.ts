/** As much of an OpenAPI 3.1 document as the reference shows. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

type PathItem = Readonly<Record<string, Operation>>;

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
  readonly callbacks?: Readonly<Record<string, Readonly<Record<string, PathItem>>>>;
  readonly 'x-role'?: string;
  readonly 'x-reaches'?: readonly string[];
  readonly 'x-status-codes'?: readonly string[];
}

type Content = Readonly<
  Record<
    string,
    { readonly schema?: Schema; readonly examples?: Readonly<Record<string, { readonly value?: unknown }>> }
  >
>;

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly [limit: string]: unknown;
}

/** Folder of the reference within the site. */
export const REFERENCE = 'integrators/reference';

const LIMITS = [
  'format',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'pattern',
  'contentEncoding',
];
const METHODS = new Set(['get', 'put', 'post', 'delete', 'head', 'patch']);

/** The reference of the interface as pages of Markdown, by their path without ending: an overview, a page a tag, the schemas. */
export function referencePages(api: OpenApi): ReadonlyMap<string, string> {
  const operations = Object.entries(api.paths).flatMap(([path, item]) => operationsOf(path, item));
  const of = (tag: string) => operations.filter(({ operation }) => operation.tags.includes(tag));
  const pages = new Map<string, string>();
  pages.set(`${REFERENCE}/index`, overview(api, of));
  for (const { name, description } of api.tags)
    pages.set(
      `${REFERENCE}/${fileOf(name)}`,
      [`# ${name}`, `For implementers: ${description}.`, ...of(name).map(operationText)].join('\n\n'),
    );
  const schemas = Object.entries(api.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  pages.set(
    `${REFERENCE}/schemas`,
    [
      '# Schemas',
      'For implementers: every object of the interface, by name.',
      ...schemas.map(([name, schema]) => `## ${name}\n\n${schemaText(schema)}`),
    ].join('\n\n'),
  );
  return pages;
}

interface Found {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function operationsOf(path: string, item: PathItem): Found[] {
  return Object.entries(item)
    .filter(([method]) => METHODS.has(method))
    .flatMap(([method, operation]) => [
      { path, method, operation },
      ...Object.values(operation.callbacks ?? {}).flatMap((callback) =>
        Object.entries(callback).flatMap(([url, inner]) => operationsOf(url, inner)),
      ),
    ]);
}

const fileOf = (tag: string) => tag.toLowerCase().replaceAll('+', 'plus');

function overview({ info, tags }: OpenApi, of: (tag: string) => readonly Found[]): string {
  return [
    `# Reference of the interface`,
    `For implementers of the other side: ${info.title}, version ${info.version}, made from [openapi.yaml](/openapi.yaml).`,
    info.description,
    ...tags.map(({ name, description }) => {
      const rows = of(name).map(({ operation: { operationId, summary } }) => [
        `[${operationId}](./${fileOf(name)}.md#${anchorOf(operationId)})`,
        summary,
      ]);
      return `## ${name}\n\n${description}.\n\n${table(['function', 'what it does'], rows)}`;
    }),
  ].join('\n\n');
}

const anchorOf = (name: string) => name.toLowerCase().replaceAll('.', '');

function operationText({ path, method, operation }: Found): string {
  const { operationId, summary, description, requestBody, responses } = operation;
  const { 'x-role': role, 'x-reaches': reaches = [], 'x-status-codes': codes = [] } = operation;
  const bodies = Object.entries(requestBody?.content ?? {});
  const answers = Object.entries(responses).filter(([, { content }]) => content !== undefined);
  return [
    `## ${operationId}`,
    `\`${method.toUpperCase()} ${path}\``,
    `${summary}.`,
    ...(description === undefined ? [] : [description]),
    table(
      ['', ''],
      [
        ...(role === undefined ? [] : [['role', role]]),
        ...(reaches.length === 0 ? [] : [['reaches', reaches.join(', ')]]),
        ...bodies.map(([type, { schema }]) => [`request, ${code(type)}`, schema ? typeText(schema) : '']),
        ...answers.flatMap(([status, { content = {} }]) =>
          Object.entries(content).map(([type, { schema }]) => [
            `answer ${status}, ${code(type)}`,
            schema ? typeText(schema) : '',
          ]),
        ),
        ...(codes.length === 0 ? [] : [['status codes', codes.map(code).join('<br>')]]),
      ],
    ),
    ...bodies.flatMap(([, content]) => examplesText('Request', content.examples)),
    ...answers
      .filter(([status]) => status.startsWith('2'))
      .flatMap(([, { content = {} }]) =>
        Object.values(content).flatMap(({ examples }) => examplesText('Answer', examples)),
      ),
  ].join('\n\n');
}

function examplesText(
  what: string,
  examples: Readonly<Record<string, { readonly value?: unknown }>> = {},
): string[] {
  return Object.entries(examples)
    .filter(([, { value }]) => typeof value === 'object')
    .map(
      ([name, { value }]) =>
        `${what}, \`${name}\`:\n\n\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\``,
    );
}

function schemaText(schema: Schema): string {
  const rows = memberRows(schema, '');
  const text = schema.description === undefined ? [] : [schema.description];
  if (rows.length === 0) return [...text, typeText(schema)].join('\n\n');
  return [...text, table(['member', 'must be there', 'type', 'what it is'], rows)].join('\n\n');
}

function memberRows({ properties = {}, required = [] }: Schema, within: string): string[][] {
  return Object.entries(properties).flatMap(([name, member]) => [
    [
      code(`${within}${name}`),
      required.includes(name) ? 'yes' : '',
      typeText(member),
      member.description ?? '',
    ],
    ...memberRows(member, `${within}${name}.`),
    ...memberRows(member.items ?? {}, `${within}${name}[].`),
  ]);
}

/** A type in a few words, with its limits. */
function typeText(schema: Schema): string {
  const { $ref, enum: values, items, oneOf, type, const: value } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1)!;
    return $ref.startsWith('#/components/schemas/') ? `[${name}](./schemas.md#${anchorOf(name)})` : name;
  }
  if (value !== undefined) return code(value);
  if (values !== undefined) return values.map(code).join(', ');
  if (oneOf !== undefined) return oneOf.map(typeText).join(' or ');
  const limits = LIMITS.filter((name) => schema[name] !== undefined).map(
    (name) => `${name} ${code(schema[name])}`,
  );
  const base = items !== undefined ? `list of ${typeText(items)}` : [type ?? 'anything'].flat().join(' or ');
  return [base, ...limits].join(', ');
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
const cell = (text: string) =>
  text
    .trim()
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
