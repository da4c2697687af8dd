import { Worker } from 'node:worker_threads';
import { downloadWithLimit, serveWithAllocator } from '../cli/allocator.ts';
import { processIo } from '../cli/output/process-io.ts';
import { run } from '../cli/program.ts';
import { threadsStartBy } from '../shared/jobs/threads.ts';
import { executable, THREADS_IN_EXECUTABLE } from './executable-asset.ts';
import { THREAD } from './thread-mark.ts';

/** The entry of the command's bundle. Its threads have a bundle of their own, which lies beside it: `threads-entry.ts`. */
serveWithAllocator();
downloadWithLimit();
threadsStartBy((module, options) => {
  const argv = [THREAD, module.pathname.split('/').at(-1)!];
  // an executable has no file that a thread could begin with: its text comes out of it
  return executable === undefined
    ? new Worker(new URL(import.meta.url.replace(/\.mjs$/, '-threads.mjs')), { ...options, argv })
    : new Worker(executable.getAsset(THREADS_IN_EXECUTABLE, 'utf8'), { ...options, argv, eval: true });
});
// a reader that has seen enough, such as head, closes the pipe
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
void run(process.argv.slice(2), processIo(process)).then((code) => {
  process.exitCode = code;
});
