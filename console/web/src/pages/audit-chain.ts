import { canonicalJson } from '../../../../shared/codec/canonical-json.ts';
import { call, type Schemas } from '../api/client.ts';

type Line = Schemas['AuditLine'];

export interface Verified {
  /** Looked at so far. */
  readonly lines: number;
  /** All of them, down to the first one. */
  readonly whole?: true;
  readonly problem?: string;
}

/** What the first line has for the hash of the one before. */
const GENESIS = '0'.repeat(64);

/** Reads the log from its end to its first line. Each line's hash is counted anew, and stands in the line after it. */
export async function verifyChain(onProgress: (verified: Verified) => void): Promise<Verified> {
  let lines = 0;
  let wanted: { readonly sequence: number; readonly hash: string } | undefined;
  for (let cursor: string | undefined; ; ) {
    const page: { lines: readonly Line[]; cursor?: string } = await call('ops.listAuditLines', {
      limit: 1_000,
      ...(cursor !== undefined && { cursor }),
    });
    for (const line of page.lines) {
      const problem = await problemOf(line, wanted);
      if (problem !== undefined) return { lines, problem: `Line ${line.sequence} ${problem}` };
      lines += 1;
      wanted = { sequence: line.sequence - 1, hash: line.previous };
    }
    onProgress({ lines });
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  if (wanted !== undefined && (wanted.sequence !== 0 || wanted.hash !== GENESIS))
    return {
      lines,
      problem: `The chain begins with line ${wanted.sequence + 1}: lines before it are missing`,
    };
  return { lines, whole: true };
}

async function problemOf(
  line: Line,
  wanted: { readonly sequence: number; readonly hash: string } | undefined,
): Promise<string | undefined> {
  const { hash, ...hashed } = line;
  if (wanted !== undefined && line.sequence !== wanted.sequence)
    return `stands where line ${wanted.sequence} has to be`;
  if (wanted !== undefined && hash !== wanted.hash) return 'is not the one that the line after it names';
  if ((await sha256(canonicalJson(hashed))) !== hash) return 'has another hash than it says';
  return undefined;
}

async function sha256(text: string): Promise<string> {
  const octets = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(octets), (octet) => octet.toString(16).padStart(2, '0')).join('');
}
