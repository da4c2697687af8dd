import { Fault } from '../errors.ts';

/**
 * Names of vault objects: segments of ASCII letters, digits, `.`, `_` and `-`, joined by `/`, such as
 * `packs/7f3a/000001`. No segment begins or ends with a dot, so that none means "here" or "above" and none is
 * hidden; each has at most 100 characters and the whole name at most 500. Every store takes such names as they are.
 */
const SEGMENT = /^(?!\.)[A-Za-z0-9._-]{1,100}(?<!\.)$/;
const NAME_LIMIT = 500;

/**
 * Folders of objects of which one comes with each profile that is bound just in time. They are small, and many are stored
 * at once: the vault in files keeps them together (file/small-objects.ts).
 */
export const SMALL = { commits: 'commits/', parts: 'parts/just-in-time/' } as const;

export const isSmall = (name: string): boolean =>
  Object.values(SMALL).some((folder) => name.startsWith(folder));

/** Returns the name if it is one, otherwise a Fault. */
export function checkName(name: string): string {
  if (name.length > NAME_LIMIT || !name.split('/').every((segment) => SEGMENT.test(segment))) {
    throw new Fault('vault', 'this is no name of a vault object');
  }
  return name;
}

/** A prefix ends anywhere in a name: everything but its last segment must be segments. */
export function checkPrefix(prefix: string): string {
  const segments = prefix.split('/');
  const last = segments.pop()!;
  if (
    prefix.length > NAME_LIMIT ||
    !segments.every((segment) => SEGMENT.test(segment)) ||
    !/^[A-Za-z0-9._-]*$/.test(last) ||
    last.startsWith('.')
  ) {
    throw new Fault('vault', 'this is no prefix of vault object names');
  }
  return prefix;
}

/** Names that differ in case only stay apart where the file system ignores case: `aB` becomes `a=b`. */
export function toFileName(segment: string): string {
  return segment.replace(/[A-Z]/g, (letter) => `=${letter.toLowerCase()}`);
}

export function fromFileName(fileName: string): string {
  return fileName.replace(/=([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
