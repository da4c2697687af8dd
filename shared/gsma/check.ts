import { refuse } from '../errors.ts';

/**
 * A check takes a JSON value and gives the typed value, or refuses it with the path of member names that leads to it.
 * Messages name members and never quote values.
 */
export type Check<T> = (value: unknown, path: string) => T;

interface Member<T, Required extends boolean> {
  readonly check: Check<T>;
  readonly required: Required;
}

type Shape = Readonly<Record<string, Member<unknown, boolean>>>;

type Checked<S extends Shape> = {
  readonly [K in keyof S as S[K]['required'] extends true ? K : never]: ReturnType<S[K]['check']>;
} & {
  readonly [K in keyof S as S[K]['required'] extends true ? never : K]?: ReturnType<S[K]['check']>;
};

/** A check that also tells which members it knows, so that a test can hold it against the OpenAPI file. */
export interface ObjectCheck<T> extends Check<T> {
  readonly members: Readonly<Record<string, 'required' | 'optional'>>;
}

export const required = <T>(check: Check<T>): Member<T, true> => ({ check, required: true });
export const optional = <T>(check: Check<T>): Member<T, false> => ({ check, required: false });

/** An object with these members and no others; a missing one is 1.3.1/2.2, an unknown one 1.3.1/2.1. */
export function object<S extends Shape>(shape: S): ObjectCheck<Checked<S>> {
  return objectOf(shape, (name, path) =>
    refuse('protocolFormat', `${nameOf(path)} has an unknown member ${JSON.stringify(name.slice(0, 40))}`),
  );
}

/** An object with these members; others are passed over, unread. */
export function objectAndMore<S extends Shape>(shape: S): ObjectCheck<Checked<S>> {
  return objectOf(shape, () => undefined);
}

function objectOf<S extends Shape>(
  shape: S,
  unknown: (name: string, path: string) => void,
): ObjectCheck<Checked<S>> {
  const check = (value: unknown, path: string): Checked<S> => {
    const source = openObject(value, path);
    for (const name of Object.keys(source)) if (!Object.hasOwn(shape, name)) unknown(name, path);
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(shape)) {
      const memberPath = path === '' ? name : `${path}.${name}`;
      if (Object.hasOwn(source, name)) result[name] = member.check(source[name], memberPath);
      else if (member.required) refuse('mandatoryElementMissing', `${memberPath} is missing`);
    }
    return result as Checked<S>;
  };
  const members = Object.fromEntries(
    Object.entries(shape).map(([name, member]) => [name, member.required ? 'required' : 'optional'] as const),
  );
  return Object.assign(check, { members });
}

/** An object whose members are somebody else's to check. */
export const openObject: Check<Readonly<Record<string, unknown>>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse('protocolFormat', `${nameOf(path)} is not an object`);
  }
  return value as Record<string, unknown>;
};

export function list<T>(element: Check<T>, bounds: { min: number; max: number }): Check<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) refuse('protocolFormat', `${path} is not an array`);
    if (value.length < bounds.min) refuse('protocolFormat', `${path} has fewer than ${bounds.min} entries`);
    if (value.length > bounds.max) refuse('tooLarge', `${path} has more than ${bounds.max} entries`);
    return value.map((entry, index) => element(entry, `${path}[${index}]`));
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Check<T> {
  return (value, path) =>
    values.find((known) => known === value) ??
    refuse('protocolFormat', `${path} is none of ${values.join(', ')}`);
}

export function integer(min: number, max: number): Check<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      refuse('protocolFormat', `${path} is not an integer from ${min} to ${max}`);
    }
    return value;
  };
}

export const flag: Check<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse('protocolFormat', `${path} is neither true nor false`);

/** A string that matches; `what` completes "… is not …". */
export function pattern(expression: RegExp, what: string): Check<string> {
  return (value, path) => {
    if (typeof value !== 'string' || !expression.test(value)) {
      refuse('protocolFormat', `${path} is not ${what}`);
    }
    return value;
  };
}

/** 1 to `max` characters, none of them a control character. */
export const text = (max: number): Check<string> =>
  pattern(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${max}}$`, 'u'), `a text of 1 to ${max} characters`);

function nameOf(path: string): string {
  return path === '' ? 'the body' : path;
}
