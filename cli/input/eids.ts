import { isValidEid } from '../../sim/index.ts';
import { UsageError } from '../output/failure.ts';
import { readOctets } from './files.ts';

/** The EIDs of a file, one in a line. */
export async function eidsOfFile(file: string): Promise<string[]> {
  const text = Buffer.from(await readOctets(file, '--eids')).toString('utf8');
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Refuses what is no EID, and none at all. */
export function requireEids(found: string[]): string[] {
  const wrong = found.find((eid) => !isValidEid(eid));
  if (wrong !== undefined)
    throw new UsageError(`${wrong} is not an EID`, 'An EID has 32 digits with right check digits.');
  if (found.length === 0) throw new UsageError('there is no EID', 'Name a folder or a file that has some.');
  return found;
}
