import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type ESTree, parseSync, Visitor } from 'rolldown/utils';

const ROOT = join(import.meta.dirname, '../..');

/** A source file: its path from the root of the repository, with `/`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The TypeScript files of these top-level folders, by path. */
export function sourceTree(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.gen.ts'))
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .sort()
      .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
  );
}

const trees = new Map<string, ESTree.Program>();

function parse({ path, text }: SourceFile): ESTree.Program {
  const key = `${path}\n${text}`;
  const known = trees.get(key);
  if (known) return known;
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]!.message}`);
  trees.set(key, program);
  return program;
}

/**
 * Paths from the root of what a file imports by a relative path: values and types, `export … from`, `import()`. A thread
 * or process that is started by its path is none.
 */
export function imported(file: SourceFile): string[] {
  const found = new Set<string>();
  const add = (value: unknown) => {
    if (typeof value === 'string' && value.startsWith('.'))
      found.add(posix.join(posix.dirname(file.path), value));
  };
  new Visitor({
    ImportDeclaration: ({ source }) => add(source.value),
    ExportNamedDeclaration: ({ source }) => add(source?.value),
    ExportAllDeclaration: ({ source }) => add(source.value),
    ImportExpression: ({ source }) => source.type === 'Literal' && add(source.value),
    TSImportType: ({ source }) => add(source.value),
  }).visit(parse(file));
  return [...found];
}

export interface FunctionSize {
  readonly path: string;
  /** Class and name of a method, name of a function, what an arrow function is assigned to; the line for others. */
  readonly name: string;
  readonly lines: number;
}

/** Every function of a file, those inside others too, with its lines from its signature to its end. */
export function functionSizes(file: SourceFile): FunctionSize[] {
  const sizes: FunctionSize[] = [];
  const names = new Map<number, string>();
  const lineOf = (offset: number) => file.text.slice(0, offset).split('\n').length;
  const keyOf = (key: ESTree.PropertyKey) => file.text.slice(key.start, key.end);
  const classes: string[] = [];
  const measure = ({ start, end, name }: { start: number; end: number; name: string | undefined }) =>
    sizes.push({
      path: file.path,
      name: name ?? names.get(start) ?? `line ${lineOf(start)}`,
      lines: file.text.slice(start, end).split('\n').length,
    });
  const enter = ({ id }: ESTree.Class) => void classes.push(id?.name ?? 'class');
  const leave = () => void classes.pop();
  new Visitor({
    ClassDeclaration: enter,
    'ClassDeclaration:exit': leave,
    ClassExpression: enter,
    'ClassExpression:exit': leave,
    MethodDefinition: ({ key, value }) => void names.set(value.start, `${classes.at(-1)}.${keyOf(key)}`),
    PropertyDefinition: ({ key, value }) =>
      void (value && names.set(value.start, `${classes.at(-1)}.${keyOf(key)}`)),
    Property: ({ key, value }) => void names.set(value.start, keyOf(key)),
    VariableDeclarator: ({ id, init }) =>
      void (init && id.type === 'Identifier' && names.set(init.start, id.name)),
    FunctionDeclaration: ({ start, end, id }) => void measure({ start, end, name: id?.name }),
    FunctionExpression: ({ start, end, id }) => void measure({ start, end, name: id?.name }),
    ArrowFunctionExpression: ({ start, end }) => void measure({ start, end, name: undefined }),
  }).visit(parse(file));
  return sizes;
}

/**
 * Type assertions that take what was stored for what it should be, as they stand in the file: `… as unknown as T`, a cast
 * of the attributes of a ledger item or of one of them, a cast of what `JSON.parse` gave.
 */
export function blindCasts(file: SourceFile): string[] {
  const found: string[] = [];
  new Visitor({
    TSAsExpression: (cast) => {
      const { expression, typeAnnotation: type, start, end } = cast;
      if (type.type === 'TSUnknownKeyword' || isConst(type)) return;
      if (isUnknown(expression) || isStored(expression)) found.push(file.text.slice(start, end));
    },
  }).visit(parse(file));
  return found.map((text) => text.replace(/\s+/g, ' '));
}

/** Spreads of nothing or an object by a condition, `...(x === undefined ? {} : { y })`, as they stand in the file. */
export function conditionalSpreads(file: SourceFile): string[] {
  const found: string[] = [];
  const isEmpty = (node: ESTree.Expression) =>
    node.type === 'ObjectExpression' && node.properties.length === 0;
  new Visitor({
    SpreadElement: ({ argument, start, end }) => {
      const inner = argument.type === 'ParenthesizedExpression' ? argument.expression : argument;
      if (inner.type === 'ConditionalExpression' && (isEmpty(inner.consequent) || isEmpty(inner.alternate)))
        found.push(file.text.slice(start, end));
    },
  }).visit(parse(file));
  return found.map((text) => text.replace(/\s+/g, ' '));
}

const isConst = (type: ESTree.TSType) =>
  type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === 'const';

const isUnknown = (node: ESTree.Expression): boolean =>
  node.type === 'TSAsExpression' && node.typeAnnotation.type === 'TSUnknownKeyword';

function isStored(node: ESTree.Node): boolean {
  switch (node.type) {
    case 'Identifier':
      return node.name === 'attributes';
    case 'MemberExpression':
      return (
        (node.property.type === 'Identifier' && node.property.name === 'attributes') || isStored(node.object)
      );
    case 'CallExpression':
      return (
        node.callee.type === 'MemberExpression' &&
        node.callee.object.type === 'Identifier' &&
        node.callee.object.name === 'JSON' &&
        node.callee.property.type === 'Identifier' &&
        node.callee.property.name === 'parse'
      );
    case 'ChainExpression':
    case 'ParenthesizedExpression':
    case 'TSNonNullExpression':
      return isStored(node.expression);
    case 'LogicalExpression':
      return isStored(node.left) || isStored(node.right);
    default:
      return false;
  }
}
