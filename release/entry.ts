import { isMainThread, Worker } from 'node:worker_threads';
import { processIo } from '../cli/output/process-io.ts';
import { run } from '../cli/program.ts';
import { threadsStartBy } from '../shared/jobs/threads.ts';
import { BUNDLE_IN_EXECUTABLE, executable } from './executable-asset.ts';

/**
 * The entry of the bundle, which is one file for the command and for each of its threads: a thread is that file again,
 * with the name of its module behind this mark.
 */
const THREAD = '--smdpf-thread';

const THREADS: Readonly<Record<string, () => Promise<unknown>>> = {
  'worker.ts': () => import('../shared/jobs/worker.ts'),
  'field-worker.ts': () => import('../cli/server/field/field-worker.ts'),
};

if (isMainThread) command();
else thread();

function command(): void {
  threadsStartBy((module, options) => {
    const argv = [THREAD, module.pathname.split('/').at(-1)!];
    // an executable has no file that a thread could begin with: its text comes out of it
    return executable === undefined
      ? new Worker(new URL(import.meta.url), { ...options, argv })
      : new Worker(executable.getAsset(BUNDLE_IN_EXECUTABLE, 'utf8'), { ...options, argv, eval: true });
  });
  // a reader that has seen enough, such as head, closes the pipe
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  void run(process.argv.slice(2), processIo(process)).then((code) => {
    process.exitCode = code;
  });
}

function thread(): void {
  const load = THREADS[process.argv[process.argv.indexOf(THREAD) + 1] ?? ''];
  if (load === undefined) throw new Error('a thread of this bundle without its module');
  void load();
}
