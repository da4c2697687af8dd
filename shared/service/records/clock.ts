import { recordOf } from './record.ts';
import { number, text, whole } from './schema.ts';

/** What the last comparison with another clock has found, by whichever process: both in milliseconds. */
export const clockComparison = recordOf('clock comparison', { source: text, aheadMs: number, at: whole });
