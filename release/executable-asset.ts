/** The bundle of the threads as an asset of the executable. */
export const THREADS_IN_EXECUTABLE = 'smdpf-threads.cjs';

const sea = process.getBuiltinModule?.('node:sea');

/** What the single executable carries; undefined where Node runs the bundle as a file. */
export const executable = sea?.isSea() ? sea : undefined;
