import { InvalidArgumentError } from 'commander';
import type { ConsoleRole } from '../../console/server/login.ts';
import { present } from '../../shared/present.ts';
import type { WantedConsole } from '../deployment/open-console.ts';

/** A port of TCP; 0 takes a free one. */
export function portOption(text: string): number {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number > 65_535) throw new InvalidArgumentError('a port number is needed');
  return number;
}

/** What `--console [port]` asks for. */
export const wantedConsole = (port: true | number, linkRole: ConsoleRole | undefined): WantedConsole => ({
  ...(port !== true && { port }),
  ...present({ linkRole }),
});

/** Until Ctrl-C, or whoever runs this has it end. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
