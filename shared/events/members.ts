import type { ErrorRecord, OwnText } from './error-record.ts';

/**
 * What the members of events hold, for the audit log and the operator's log: identifiers, codes, counts and text of
 * our own. Neither log has a place for a secret, or for what a caller sent.
 */

type Guard<T> = (value: unknown) => value is T;

const text =
  (form = /(?:)/): Guard<string> =>
  (value): value is string =>
    typeof value === 'string' && form.test(value);
const number = (value: unknown): value is number => typeof value === 'number';
const flag = (value: unknown): value is boolean => typeof value === 'boolean';
const ownText = (value: unknown): value is OwnText => typeof value === 'string';
const texts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(text());
const errors = (value: unknown): value is readonly ErrorRecord[] => Array.isArray(value);

const kind = <T>(says: string, holds: Guard<T>) => ({ says, holds });

/** What a member may hold, by the word that docs/events.md has for it. */
export const MEMBER_KINDS = {
  identifier: kind('an identifier given by a party or by this server', text()),
  EID: kind('32 digits', text(/^\d{32}$/)),
  ICCID: kind('18 to 20 digits', text(/^\d{18,20}$/)),
  hash: kind('SHA-256 as 64 hexadecimal digits', text(/^[0-9a-f]{64}$/)),
  keyIdentifier: kind('SubjectKeyIdentifier in hexadecimal', text(/^[0-9a-f]+$/)),
  keyIdentifiers: kind('a list of these', texts),
  oneTimeKeys: kind('identifiers of one-time keys, a space between two', text(/^\S+( \S+)*$/)),
  keyUri: kind('what names a key; holds no PIN and no passphrase', text()),
  key: kind('what the key service calls the key', text()),
  serial: kind('a whole number of any size as digits', text(/^\d+$/)),
  function: kind('a function of an interface, or a part of the server', text()),
  code: kind('a code of shared/status-codes.ts or shared/errors.ts', text()),
  word: kind('a word of SGP.22 or of a report, such as `invalidSignature`', text(/^\w+$/)),
  statusCode: kind('a subject or reason code of the interface, `8.1.3`', text(/^\d+(\.\d+)*$/)),
  time: kind('date and time of ISO 8601 in UTC', text(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
  URL: kind('where something is fetched from or sent to', text()),
  URLs: kind('a list of these', texts),
  number: kind('a whole number: how many, or which one counted from 0', number),
  ms: kind('milliseconds', number),
  flag: kind('true or false', flag),
  name: kind('a name that an administrator chose', text()),
  text: kind('a text of this server, made of identifiers and codes', ownText),
  errors: kind('an error and its causes: name, code, text of this server, places in its code', errors),
} as const;

type MemberKind = keyof typeof MEMBER_KINDS;

/** One of these words. */
export interface Words<T extends string = string> {
  readonly words: readonly T[];
}
export const words = <const T extends string>(...of: readonly T[]): Words<T> => ({ words: of });

/** The members of an event by their names; a name that ends in `?` is of a member that may be missing. */
export type Members = Readonly<Record<string, MemberKind | Words>>;

type Held<K> = K extends MemberKind
  ? (typeof MEMBER_KINDS)[K]['holds'] extends Guard<infer T>
    ? T
    : never
  : K extends Words<infer T>
    ? T
    : never;

/** What an event with these members carries. */
export type Carried<M extends Members> = {
  readonly [N in keyof M as N extends `${string}?` ? never : N]: Held<M[N]>;
} & {
  readonly [N in keyof M as N extends `${infer Name}?` ? Name : never]?: Held<M[N]> | undefined;
};

/** What is given, if it has no member beside the wanted ones. */
export type Exact<Wanted, Given> = Given & { readonly [Extra in Exclude<keyof Given, KeyOf<Wanted>>]: never };
type KeyOf<T> = T extends unknown ? keyof T : never;

/** Name, kind, and whether the member may be missing. */
export function* membersOf(
  members: Members,
): Generator<[name: string, kind: Members[string], optional: boolean]> {
  for (const [name, of] of Object.entries(members))
    yield name.endsWith('?') ? [name.slice(0, -1), of, true] : [name, of, false];
}

/** The members that the event has and nothing else, whatever else is given: a log is closed at run time too. */
export function only<T>(members: Members, about: object): Record<string, T> {
  const given = new Map<string, T>(Object.entries(about));
  const kept: Record<string, T> = {};
  for (const [name] of membersOf(members)) {
    const value = given.get(name);
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** Whether these are the event's members, each of its kind: for what was stored, maybe by another release. */
export function carries<M extends Members>(members: M, about: object): about is Carried<M> {
  const given = new Map(Object.entries(about));
  for (const [name, of, optional] of membersOf(members)) {
    const value: unknown = given.get(name);
    if (value === undefined ? !optional : !holds(of, value)) return false;
  }
  return true;
}

function holds(of: Members[string], value: unknown): boolean {
  return typeof of === 'string' ? MEMBER_KINDS[of].holds(value) : of.words.some((word) => word === value);
}
