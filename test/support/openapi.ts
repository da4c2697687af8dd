import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import type { FunctionPath } from '../../shared/gsma/functions/index.ts';
import type { PartyRole } from '../../shared/service/api/caller.ts';

export interface Schema {
  readonly properties: Record<string, unknown>;
  readonly required?: string[];
}
export interface MediaType {
  readonly schema: Schema;
  readonly examples?: Record<string, { value: Record<string, unknown> }>;
}
export interface Operation {
  readonly operationId: FunctionPath;
  /** The function that is served at this path as well. */
  readonly 'x-same-as'?: FunctionPath;
  readonly 'x-role': PartyRole | 'anyone';
  readonly 'x-reaches': string[];
  readonly 'x-status-codes': string[];
  readonly requestBody: { content: Record<string, MediaType> };
  readonly responses: Record<string, { content?: Record<string, MediaType> }>;
}

const FILE = new URL('../../shared/ifpp-draft1/openapi.yaml', import.meta.url);
export const openapiText = readFileSync(FILE, 'utf8');
export const openapi = parse(openapiText);

/** Follows `$ref` until there is none. */
export function resolve<T>(node: unknown): T {
  let current = node as Record<string, unknown>;
  while (typeof current?.$ref === 'string') {
    current = current.$ref
      .slice(2)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce((at, part) => at[part] as Record<string, unknown>, openapi);
  }
  return current as T;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...openapi, $id: 'openapi' });

/** A schema of the document, its references bound to the document. */
export const compile = (schema: Schema) =>
  ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as Schema);

/** Each operation once, with the URL paths that lead to it. */
export const operations = new Map<FunctionPath, { urls: string[]; operation: Operation }>();
for (const [url, item] of Object.entries(openapi.paths)) {
  // links of transfers are no functions
  if (url === '/transfer/{token}') continue;
  const { post: operation, ...others } = item as { post: Operation };
  if (Object.keys(others).length > 0) throw new Error(`${url} takes more than POST`);
  const same = operation['x-same-as'];
  if (same === undefined) operations.set(operation.operationId, { urls: [url], operation });
  else operations.get(same)!.urls.push(url);
}

/** The request body of a function, its schemas at hand. */
export function requestOf(path: FunctionPath): Operation['requestBody'] {
  const { content } = resolve<Operation['requestBody']>(operations.get(path)!.operation.requestBody);
  return {
    content: Object.fromEntries(
      Object.entries(content).map(([type, media]) => [
        type,
        { ...media, schema: resolve<Schema>(media.schema) },
      ]),
    ),
  };
}

/** The codes of every call, as the description of the document has them. */
const COMMON_CODES = new Set(
  openapi.info.description
    .slice(openapi.info.description.indexOf('**Status codes.**'))
    .match(/[0-9]+(?:\.[0-9]+)+\/[0-9.]+[0-9]/g),
);

/** Each pair of subject and reason code in an answer, its items included. */
function* codesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  const { subjectCode, reasonCode } = value as Record<string, unknown>;
  if (subjectCode !== undefined) yield `${subjectCode}/${reasonCode}`;
  for (const member of Object.values(value)) yield* codesIn(member);
}

/** Codes of an answer that the document does not list for the function. */
function unlistedCodes(path: FunctionPath, answer: unknown): string[] {
  const listed = operations.get(path)!.operation['x-status-codes'].map((line) => line.split(' ')[0]);
  // functions for people tell of refusals of all others; their own are in the header
  const own = path.startsWith('ops.') ? (answer as { header?: unknown }).header : answer;
  return [...codesIn(own)].filter((code) => !COMMON_CODES.has(code) && !listed.includes(code));
}

/** The refusals that the document lists for a function, by name; those of every call are not among them. */
export const listedRefusals = (path: FunctionPath): string[] =>
  operations.get(path)!.operation['x-status-codes'].map((line) => line.split(' ')[1]!);

/** What is wrong with an HTTP 200 answer of a function, its codes included; null where nothing is. */
export function answerErrors(path: FunctionPath, answer: unknown): unknown {
  const response = operations.get(path)!.operation.responses['200'];
  const schema = compile(
    resolve<{ content: Record<string, MediaType> }>(response).content['application/json']!.schema,
  );
  if (!schema(answer)) return schema.errors;
  const unlisted = unlistedCodes(path, answer);
  return unlisted.length > 0 ? { unlisted } : null;
}
