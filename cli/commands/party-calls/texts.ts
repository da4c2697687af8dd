import type { JsonObject } from '../../../sim/index.ts';
import { fields, table } from '../../output/table.ts';
import { goesOn, number } from './waiting.ts';

/** What a function answered about work, for people: the named members, a table where there is something in it, what goes on. */
export const workText = (body: JsonObject, members: readonly string[], table?: string): string =>
  [
    fields(members.map((name) => [name, textOf(body[name])])),
    ...(table === undefined ? [] : [table]),
    ...goesOn(body.state === 'Pending' || body.state === 'Preparing'),
  ].join('\n\n');

/** Counts of work as what came of it, or, while it is under way, in one member that says how far it is. */
export function countedText(body: JsonObject, names: readonly string[], of: number): JsonObject {
  if (body.state !== 'Pending') return body;
  const told = Object.entries(body).filter(([name]) => !names.includes(name));
  return {
    ...Object.fromEntries(told),
    'so far': `${names.reduce((sum, name) => sum + number(body[name]), 0)} of ${of}`,
  };
}

/** Items that were refused: what names each, why, and in words. Undefined where there are none. */
export function refusedItems(refused: unknown, names: readonly string[]): string | undefined {
  if (!Array.isArray(refused) || refused.length === 0) return undefined;
  const rows = (refused as readonly JsonObject[]).map((item) => [
    ...names.map((name) => textOf(item[name])),
    `${textOf(item.subjectCode) ?? ''}/${textOf(item.reasonCode) ?? ''}`,
    textOf(item.message),
  ]);
  return table([...names, 'code', 'why'], rows);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
