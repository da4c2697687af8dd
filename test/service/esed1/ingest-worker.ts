import { openRuntime } from '../../../shared/runtime.ts';
import type { RuntimeConfig } from '../../../shared/runtime-config.ts';

/** A server that takes up what is open and is killed in the middle. */
const runtime = await openRuntime(JSON.parse(process.argv[2]!) as RuntimeConfig, { lanes: 'inline' });
await runtime.work.resume();
