import { setFlagsFromString } from 'node:v8';

/**
 * Before the first worker thread. Node strips the types of each thread's sources in WebAssembly. After 1,000 calls V8 compiles the way out of it into
 * JavaScript anew, in a cache that all threads share, and on 24 the one that finds such code dead can abort the process
 * (`Check failed: jit_page.has_value()`, in TierUpWasmToJSWrapper). Nothing here calls out of WebAssembly often enough
 * to miss the compiled way.
 */
export function keepImportWrappersGeneric(): void {
  if (process.versions.node.startsWith('24.')) setFlagsFromString('--wasm-wrapper-tiering-budget=2000000000');
}
