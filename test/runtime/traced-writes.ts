import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Every call of Linux that hands octets of a process over to a file. */
const WRITES = ['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2'];
/** Octets that these move are not in the trace. */
const UNSEEN = ['sendfile', 'copy_file_range', 'splice', 'vmsplice', 'tee', 'io_uring_setup'];

export interface TracedWrite {
  /** As /proc tells it, also of a file that is deleted. */
  readonly path: string;
  readonly octets: Buffer;
}

export interface Trace {
  readonly status: number | null;
  readonly writes: readonly TracedWrite[];
  /** Calls by which octets could have got into a file without being seen, in full. */
  readonly unseen: readonly string[];
}

/** Why writes cannot be traced here, with a blank before it; empty where they can. */
export const traceSkipReason: string = (() => {
  const probe: SpawnSyncReturns<Buffer> = spawnSync('strace', ['-f', '-e', 'trace=write', 'true']);
  if (probe.error !== undefined) return ' (strace is not installed)';
  return probe.status === 0 ? '' : ' (strace may not trace here)';
})();

/**
 * Runs a script of Node with all its threads under strace and gives every octet that it ever wrote to any file, whether
 * the file is there afterwards, was overwritten or is deleted.
 *
 * Writes to mapped memory have no system call. The one shared mapping of ours is SQLite's index of its write-ahead
 * log (`-shm`): page numbers and hashes, never content (https://sqlite.org/walformat.html, section 2). Any other is told
 * as unseen, as are calls that move octets inside the kernel.
 */
export async function traceWrites(script: string, args: readonly string[]): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-trace-'));
  try {
    const calls = [...WRITES, ...UNSEEN.map((name) => `?${name}`), 'mmap'].join(',');
    // a file per thread, so that no call is torn in two by another; paths and payloads in hexadecimal, in full
    const options = ['-ff', '--seccomp-bpf', '-y', '-xx', '-s', String(2 ** 28), '-e', `trace=${calls}`];
    // libuv does without the ring, whose entries strace does not see
    options.push('-e', 'inject=?io_uring_setup:error=ENOSYS');
    const child = spawn(
      'strace',
      ['-o', join(folder, 'thread'), ...options, process.execPath, script, ...args],
      {
        // compiled modules hold the template that the profiles are made from, which is no secret
        env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const writes: TracedWrite[] = [];
    const unseen: string[] = [];
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      for await (const line of createInterface({ input: createReadStream(join(folder, name), 'latin1') }))
        readCall(line, writes, unseen);
    return { status, writes, unseen };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCall(line: string, writes: TracedWrite[], unseen: string[]): void {
  const call = line.slice(0, Math.max(0, line.indexOf('(')));
  const path = unescaped(/<((?:\\x[0-9a-f]{2})+)>/.exec(line.slice(0, 20_000))?.[1] ?? '').toString();
  if (WRITES.includes(call)) {
    if (/"\.\.\./.test(line)) throw new Error(`strace cut a payload off: ${call} to ${path}`);
    // the parts of one call follow each other in the file
    const parts = line.split('"').filter((_, at) => at % 2 === 1);
    writes.push({ path, octets: Buffer.concat(parts.map(unescaped)) });
  } else if (call === 'mmap') {
    const writable = /PROT_WRITE/.test(line) && /MAP_SHARED/.test(line) && /, \d+</.test(line);
    if (writable && !path.endsWith('-shm')) unseen.push(`${line} ${path}`);
  } else if (UNSEEN.includes(call) && !/ = -1 E/.test(line)) unseen.push(`${line} ${path}`);
}

const unescaped = (text: string) => Buffer.from(text.replaceAll('\\x', ''), 'hex');
