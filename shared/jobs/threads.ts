import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Runs the module at this URL as a thread. */
export type StartThread = (module: URL, options: WorkerOptions) => Worker;

let start: StartThread = (module, options) => new Worker(module, options);

/** Starts a module of ours as a thread. */
export function startThread(module: URL, options: WorkerOptions): Worker {
  keepImportWrappersGeneric();
  markSeldom();
  heedLimits();
  return start(module, options);
}

/** In a bundle the module is no file of its own: the bundle says how it runs one. */
export function threadsStartBy(other: StartThread): void {
  start = other;
}

/**
 * Before the first worker thread. Node strips the types of each thread's sources in WebAssembly. After 1,000 calls V8 compiles the way out of it into
 * JavaScript anew, in a cache that all threads share, and on 24 the one that finds such code dead can abort the process
 * (`Check failed: jit_page.has_value()`, in TierUpWasmToJSWrapper). Nothing here calls out of WebAssembly often enough
 * to miss the compiled way.
 */
function keepImportWrappersGeneric(): void {
  if (process.versions.node.startsWith('24.')) setFlagsFromString('--wasm-wrapper-tiering-budget=2000000000');
}

/**
 * Of a heap this many percent larger than what the last marking left, V8 marks it again. Left to itself it takes far less of a
 * small heap, and octets in buffers count: a thread of 20 MB, whose tasks hold a few MB of octets at a time, was marked for
 * nearly every chunk of a job, which took a quarter of the processor.
 */
const GROWTH_PERCENT = 100;

function markSeldom(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

/** What the process was started with for the heap of its first thread would go before the limits that a thread is started with. */
function heedLimits(): void {
  setFlagsFromString('--max-semi-space-size=0');
}
