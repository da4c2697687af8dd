/**
 * The members that are there: those that are undefined are left out, so that an optional member is absent rather
 * than undefined, in a stored record, in JSON and under `exactOptionalPropertyTypes`. `{ id, ...present({ name }) }`
 */
export function present<Members extends Readonly<Record<string, unknown>>>(
  members: Members,
): Present<Members> {
  const there: Present<Members> = {};
  let name: keyof Members;
  for (name in members) {
    const value = members[name];
    if (value !== undefined) there[name] = value as Present<Members>[typeof name];
  }
  return there;
}

/**
 * What `convert` makes of a value that is there, for a member that is written otherwise than it is read.
 * `{ id, ...present({ at: ifPresent(at, dateText) }) }`
 */
export function ifPresent<Value, Converted>(
  value: Value | undefined,
  convert: (value: Value) => Converted,
): Converted | undefined {
  return value === undefined ? undefined : convert(value);
}

export type Present<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };
