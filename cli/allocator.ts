import process from 'node:process';

/**
 * For glibc's allocator. Left to itself it gives each thread an arena of its own, and keeps in it what reading a bundle and
 * large buffers have left: a quarter of the memory of a busy server. The names are glibc's (mallopt(3)).
 *
 * What V8 parses and compiles with comes in segments of 32 KiB, of which 20 to 30 MB are needed in a thread for moments. In an arena
 * they stay, since something small always lies behind them: of 73 MB in arenas 70 were free. So each of that size is a mapping of its
 * own, which goes back to the system at once.
 */
export const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/**
 * The same for V8: of its young generation, which a few milliseconds of any work fill, a server's first thread has two halves of as many MiB.
 * Left to itself the V8 of Node 24 lets them grow to 64 each, and what grows with a large request stays for long. Neither jobs nor just-in-time calls
 * take longer with less (docs/performance-record.md). The other threads have limits of their own (`shared/jobs/threads.ts`).
 */
const YOUNG_GENERATION = '--max-semi-space-size';

/** What the process of a server is started with. */
export const SERVER_SETTINGS = { ...ALLOCATOR, NODE_OPTIONS: `${YOUNG_GENERATION}=4` } as const;

/** Of a process, what beginning it again takes. */
export type Beginning = Pick<
  typeof process,
  'platform' | 'execPath' | 'execArgv' | 'argv' | 'env' | 'connected'
> & {
  /** Of a single executable: Node repeats its path, as it was called, in the arguments there, and takes no options of its own. */
  readonly isExecutable: boolean;
  /** From Node 22.15 on, and on no system but POSIX. Never returns. */
  readonly execve?: typeof process.execve | undefined;
};

/**
 * glibc reads its settings before a program begins. So `smdpf serve`, unless whoever started it has set one of them, has the same
 * process begin once more with them: same process ID, same open streams, no parent that waits. Of any other command, on other
 * systems and on a Node that cannot, nothing happens.
 */
export function serveWithAllocator(beginning: Beginning = ofThisProcess()): void {
  const { env } = beginning;
  if (wordsOf(beginning)[0] !== 'serve' || Object.keys(ALLOCATOR).some((name) => env[name] !== undefined))
    return;
  beginAgain({ ...SERVER_SETTINGS, NODE_OPTIONS: nodeOptions(beginning) }, beginning);
}

/**
 * `smdpf pull` and `smdpf order output` with that limit of V8 and with those of the allocator, in the same way: their garbage is what octets
 * come in, by the gigabyte, and the more of it there was the larger V8 lets the next heap of it be; and what V8 compiles a busy function
 * with, 25 MB for a moment, stayed.
 */
export function downloadWithLimit(beginning: Beginning = ofThisProcess()): void {
  const options = nodeOptions(beginning);
  const [command, ofIt] = wordsOf(beginning);
  const downloads = command === 'pull' || (command === 'order' && ofIt === 'output');
  if (!downloads || options === (beginning.env.NODE_OPTIONS ?? '')) return;
  beginAgain({ NODE_OPTIONS: options }, beginning, ALLOCATOR);
}

const wordsOf = ({ argv }: Beginning) => argv.slice(2).filter((argument) => !argument.startsWith('-'));

/** Ours behind those of whoever started it, who may have set the same. */
function nodeOptions({ env: { NODE_OPTIONS: theirs }, execArgv }: Beginning): string {
  const set = [theirs ?? '', ...execArgv].some((option) => option.includes(YOUNG_GENERATION));
  if (set) return theirs ?? '';
  return theirs ? `${theirs} ${SERVER_SETTINGS.NODE_OPTIONS}` : SERVER_SETTINGS.NODE_OPTIONS;
}

/** Arenas for each thread that answers: with fewer they wait for each other wherever OpenSSL or SQLite takes memory. */
const ARENAS_PER_THREAD = 4;

/**
 * The same for a server whose configuration has several threads answer (`server.threads`), which is known only once it has been
 * read: with the two arenas of a server of one thread, two of them answer less than one.
 */
export function serveWithArenas(threads: number, beginning: Beginning = ofThisProcess()): void {
  const { MALLOC_ARENA_MAX: most } = beginning.env;
  const wanted = ARENAS_PER_THREAD * threads;
  if (threads === 1 || most === undefined || Number(most) >= wanted) return;
  beginAgain({ MALLOC_ARENA_MAX: String(wanted) }, beginning);
}

/** `unlessSet` are settings that whoever started this process may have set otherwise. */
function beginAgain(
  settings: Readonly<Record<string, string>>,
  { platform, execPath, execArgv, argv, env, connected, execve, isExecutable }: Beginning,
  unlessSet: Readonly<Record<string, string>> = {},
): void {
  // the channel to a parent that forked it would be lost
  if (platform !== 'linux' || execve === undefined || connected) return;
  const more = isExecutable ? argv.slice(2) : [...execArgv, ...argv.slice(1)];
  execve(execPath, [execPath, ...more], { ...unlessSet, ...env, ...settings });
}

const ofThisProcess = (): Beginning => {
  const { platform, execPath, execArgv, argv, env, connected, execve } = process;
  const isExecutable = process.getBuiltinModule?.('node:sea')?.isSea() ?? false;
  return {
    platform,
    execPath,
    execArgv,
    argv,
    env,
    connected,
    execve: execve?.bind(process),
    isExecutable,
  };
};
