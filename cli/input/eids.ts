import { isValidEid } from '../../sim/index.ts';
import { UsageError } from '../output/failure.ts';
import { readPieces } from './files.ts';

/**
 * The EIDs of a file, one in a line, as it is read; whatever stands between white space may be one. Those of each piece together:
 * to wait for each by itself leaves more garbage than a file of many lets be collected in between.
 */
export async function* eidsIn(file: string): AsyncGenerator<readonly string[]> {
  const text = new TextDecoder();
  let rest = '';
  for await (const piece of readPieces(file, '--eids')) {
    const words = (rest + text.decode(piece, { stream: true })).split(/\s+/);
    rest = words.pop()!;
    yield words.filter((word) => word !== '');
    if (rest.length > LONGEST) requireEid(rest);
  }
  rest += text.decode();
  if (rest !== '') yield [rest];
}

/** More than an EID has; a file without white space is none of EIDs, and is not read to its end. */
const LONGEST = 1_000;

export async function eidsOfFile(file: string): Promise<string[]> {
  const eids: string[] = [];
  for await (const some of eidsIn(file)) eids.push(...some);
  return eids;
}

/** Refuses what is no EID, and none at all. */
export function requireEids(found: string[]): string[] {
  for (const eid of found) requireEid(eid);
  requireSome(found.length);
  return found;
}

export function requireEid(word: string): void {
  if (isValidEid(word)) return;
  const shown = word.length > 64 ? `${word.slice(0, 64)}…` : word;
  throw new UsageError(`${shown} is not an EID`, 'An EID has 32 digits with right check digits.');
}

export function requireSome(count: number): void {
  if (count === 0) throw new UsageError('there is no EID', 'Name a folder or a file that has some.');
}
