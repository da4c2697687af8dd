import type { Attributes, Value } from '../../ledger/ledger.ts';

/**
 * What a stored value looks like, said once: the type follows from the schema, so that type and check cannot disagree.
 * A check walks the value where it lies and copies nothing. It tells the first member that is wrong by its path and by
 * type, never by value, which may be a secret.
 */
export interface Schema<out T> {
  /** Completes "… where … is expected": `a whole number`. */
  readonly what: string;
  /** The first thing that is wrong; undefined where nothing is. */
  check(value: unknown): Mismatch | undefined;
  /** Carries the type; never there. */
  readonly type?: T;
}

/** A schema of an object, whose members can be named to a person. */
export interface ObjectSchema<out T> extends Schema<T> {
  readonly members: readonly string[];
}

export type TypeOf<S> = S extends Schema<infer T> ? T : never;

/** A member that is not as it should be. */
export interface Mismatch {
  /** `runs[3][1]`; empty where it is the value itself. */
  readonly path: string;
  readonly kind: 'missing' | 'wrong' | 'unknown';
  /** Of a wrong one: `text where a whole number is expected`. */
  readonly detail?: string;
  /** Of an unknown one: the names that are known there. */
  readonly known?: readonly string[];
}

/** Passes what the schema describes; all of that is what a ledger can store. */
export function demand<T>(
  schema: ObjectSchema<T>,
  value: unknown,
  fail: (mismatch: Mismatch) => never,
): asserts value is T & Attributes {
  const mismatch = schema.check(value);
  if (mismatch !== undefined) fail(mismatch);
}

/** Says in words what is wrong; completes "… has ". */
export function mismatchText({ path, kind, detail }: Mismatch): string {
  if (kind === 'missing') return `no member \`${path}\``;
  if (kind === 'unknown') return `an unknown member \`${path}\``;
  return path === '' ? `${detail}` : `${detail} in the member \`${path}\``;
}

/** The type of a value in words, with no word of what it is. */
export function typeInWords(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `${value.length} octets`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return value === '' ? 'empty text' : 'text';
    case 'number':
      return Number.isSafeInteger(value)
        ? value < 0
          ? 'a negative number'
          : 'a whole number'
        : 'a fraction';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}

function scalar<T>(what: string, is: (value: unknown) => value is T): Schema<T> {
  return { what, check: (value) => (is(value) ? undefined : wrong(what, value)) };
}

function wrong(what: string, value: unknown): Mismatch {
  return { path: '', kind: 'wrong', detail: `${typeInWords(value)} where ${what} is expected` };
}

/** The same mismatch, seen from one level further out. */
function within(place: string, inner: Mismatch): Mismatch {
  const join = inner.path === '' || inner.path.startsWith('[') ? '' : '.';
  return { ...inner, path: `${place}${join}${inner.path}` };
}

/** Text from elsewhere in a path: short, on one line. */
const shown = (name: string) => (/^[\w$-]{1,40}$/.test(name) ? name : JSON.stringify(name.slice(0, 40)));

export const text = scalar('text', (value) => typeof value === 'string');
export const flag = scalar('true or false', (value) => typeof value === 'boolean');
/** 0 and above: a count, an index, an offset, milliseconds since 1970. */
export const whole = scalar(
  'a whole number',
  (value): value is number => typeof value === 'number' && value >= 0 && Number.isSafeInteger(value),
);
export const integer = scalar('a whole number, which may be negative', (value): value is number =>
  Number.isSafeInteger(value),
);
export const number = scalar(
  'a number',
  (value): value is number => typeof value === 'number' && Number.isFinite(value),
);
export const octets = scalar('octets', (value) => value instanceof Uint8Array);

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Schema<T> {
  const known: ReadonlySet<unknown> = new Set(words);
  const what = words.length <= 8 ? `one of ${words.join(', ')}` : 'a word of a fixed list';
  const is = (value: unknown): value is T => known.has(value);
  return {
    what,
    check: (value) => (is(value) ? undefined : { ...wrong(what, value), detail: other(what, value) }),
  };
}

const other = (what: string, value: unknown) =>
  `${typeof value === 'string' ? 'other text' : typeInWords(value)} where ${what} is expected`;

export function list<T>(element: Schema<T>): Schema<readonly T[]> {
  const what = 'a list';
  return {
    what,
    check(value) {
      if (!Array.isArray(value)) return wrong(what, value);
      for (let i = 0; i < value.length; i++) {
        const mismatch = element.check(value[i]);
        if (mismatch !== undefined) return within(`[${i}]`, mismatch);
      }
      return undefined;
    },
  };
}

type Places<S extends readonly Schema<unknown>[]> = { readonly [K in keyof S]: TypeOf<S[K]> };

/** A list of a fixed length, each place with its own schema. */
export function tuple<const S extends readonly Schema<unknown>[]>(...places: S): Schema<Readonly<Places<S>>> {
  const what = `a list of ${places.length}`;
  return {
    what,
    check(value) {
      if (!Array.isArray(value) || value.length !== places.length) return wrong(what, value);
      for (let i = 0; i < places.length; i++) {
        const mismatch = places[i]!.check(value[i]);
        if (mismatch !== undefined) return within(`[${i}]`, mismatch);
      }
      return undefined;
    },
  };
}

/** An object whose member names are data. */
export function dictionary<T>(element: Schema<T>): Schema<Readonly<Record<string, T>>> {
  const what = 'an object';
  return {
    what,
    check(value) {
      if (!isObject(value)) return wrong(what, value);
      for (const name of Object.keys(value)) {
        const member = value[name];
        if (member === undefined) continue;
        const mismatch = element.check(member);
        if (mismatch !== undefined) return within(shown(name), mismatch);
      }
      return undefined;
    },
  };
}

/** Any value that a ledger can store: what others gave us and we only keep. */
export const anyValue: Schema<unknown> = {
  what: 'a value',
  check: (value) => (isValue(value) ? undefined : wrong('a value', value)),
};

function isValue(value: unknown): value is Value {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isValue);
  return isObject(value) && Object.values(value).every((member) => member === undefined || isValue(member));
}

interface Optional<T> {
  readonly optional: Schema<T>;
}

/** A member that may be absent. */
export const optional = <T>(schema: Schema<T>): Optional<T> => ({ optional: schema });

export type Shape = Readonly<Record<string, Schema<unknown> | Optional<unknown>>>;

/** The members of an object by its shape. */
export type Members<S extends Shape> = {
  readonly [K in keyof S as S[K] extends Optional<unknown> ? never : K]: TypeOf<S[K]>;
} & {
  readonly [K in keyof S as S[K] extends Optional<unknown> ? K : never]?: S[K] extends Optional<infer T>
    ? T
    : never;
};

/** An object with these members and no others. */
export function object<const S extends Shape>(shape: S): ObjectSchema<Members<S>> {
  const what = 'an object';
  const schemas = new Map<string, Schema<unknown>>();
  const required: string[] = [];
  for (const [name, member] of Object.entries(shape)) {
    const isOptional = 'optional' in member;
    schemas.set(name, isOptional ? member.optional : member);
    if (!isOptional) required.push(name);
  }
  const members = [...schemas.keys()];
  return {
    what,
    members,
    check(value) {
      if (!isObject(value)) return wrong(what, value);
      for (const name of Object.keys(value)) {
        const member = value[name];
        if (member === undefined) continue;
        const schema = schemas.get(name);
        if (schema === undefined) return { path: shown(name), kind: 'unknown', known: members };
        const mismatch = schema.check(member);
        if (mismatch !== undefined) return within(name, mismatch);
      }
      for (const name of required) if (value[name] === undefined) return { path: name, kind: 'missing' };
      return undefined;
    },
  };
}

/** One of two objects, told apart by a member that only the first one has. */
export function either<A, B>(mark: string, first: ObjectSchema<A>, second: ObjectSchema<B>): Schema<A | B> {
  return {
    what: 'an object',
    check: (value) =>
      isObject(value) && value[mark] !== undefined ? first.check(value) : second.check(value),
  };
}

/** A value that one of them describes; for scalars, of which nothing more can be said. */
export function union<const S extends readonly Schema<unknown>[]>(...schemas: S): Schema<TypeOf<S[number]>> {
  const what = schemas.map((schema) => schema.what).join(' or ');
  const fits = (value: unknown) => schemas.some((schema) => schema.check(value) === undefined);
  return { what, check: (value) => (fits(value) ? undefined : wrong(what, value)) };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
