import process from 'node:process';

/**
 * For glibc's allocator. Left to itself it gives each thread an arena of its own, and keeps in it what reading a bundle and
 * large buffers have left: a quarter of the memory of a busy server. The names are glibc's (mallopt(3)).
 */
export const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/** Of a process, what beginning it again takes. */
export type Beginning = Pick<
  typeof process,
  'platform' | 'execPath' | 'execArgv' | 'argv' | 'env' | 'connected'
> & {
  /** From Node 22.15 on, and on no system but POSIX. Never returns. */
  readonly execve?: typeof process.execve | undefined;
};

/**
 * glibc reads its settings before a program begins. So `smdpf serve`, unless whoever started it has set one of them, has the same
 * process begin once more with them: same process ID, same open streams, no parent that waits. Of any other command, on other
 * systems and on a Node that cannot, nothing happens. `inExecutable`: Node repeats the program's path in the arguments there,
 * and takes no options of its own.
 */
export function serveWithAllocator(inExecutable: boolean, beginning: Beginning = process): void {
  const { platform, execPath, execArgv, argv, env, connected, execve } = beginning;
  const command = argv.slice(2).find((argument) => !argument.startsWith('-'));
  if (command !== 'serve' || platform !== 'linux' || execve === undefined) return;
  // the channel to a parent that forked it would be lost
  if (connected || Object.keys(ALLOCATOR).some((name) => env[name] !== undefined)) return;
  const more = inExecutable ? argv.slice(2) : [...execArgv, ...argv.slice(1)];
  execve(execPath, [execPath, ...more], { ...env, ...ALLOCATOR });
}
