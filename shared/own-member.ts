/**
 * The member of this name that the record itself has. Where names are data (orders, parties, columns), `record[name]` would
 * find `constructor` or `toString` in every object.
 */
export function ownMember<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  name: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
