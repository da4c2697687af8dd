import type { Warning } from '../../shared/warnings.ts';
import type { CliIo } from './cli-io.ts';

/** Tells a warning of shared/warnings.ts, its stable code first. */
export const warnOf = (io: Pick<CliIo, 'warn'>, { code, message }: Warning): void =>
  io.warn(`${code}: ${message}`);
