import { THREAD } from './thread-mark.ts';

/**
 * The entry of the bundle that every worker thread of a server runs: a quarter of the command's text, which each thread would hold
 * and compile for itself. The name of a thread's module stands behind the mark in its arguments.
 */
const THREADS: Readonly<Record<string, () => Promise<unknown>>> = {
  'worker.ts': () => import('../shared/jobs/worker.ts'),
  'party-worker.ts': () => import('../cli/server/parties/party-worker.ts'),
  'field-worker.ts': () => import('../cli/server/field/field-worker.ts'),
};

const load = THREADS[process.argv[process.argv.indexOf(THREAD) + 1] ?? ''];
if (load === undefined) throw new Error('a thread of this bundle without its module');
void load();
