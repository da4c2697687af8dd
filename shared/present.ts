/**
 * The members that are there: those that are undefined are left out, so that an optional member is absent rather
 * than undefined, in a stored record, in JSON and under `exactOptionalPropertyTypes`. `{ id, ...present({ name }) }`
 */
export function present<Members extends Readonly<Record<string, unknown>>>(
  members: Members,
): Present<Members> {
  const there = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as Present<Members>;
}

export type Present<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };
