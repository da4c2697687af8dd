import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeConfig } from '../shared/runtime-config.ts';

/** Where `npm run localstack:deploy` writes what the stack tells of itself. */
export const OUTPUTS_FILE = join(import.meta.dirname, '..', 'cdk.out', 'outputs.json');

export interface Outputs {
  readonly runtime: RuntimeConfig;
  readonly stateMachine: string;
  /** HTTP API of the console. */
  readonly consoleApi: string;
}

export function readOutputs(): Outputs {
  const stacks = JSON.parse(readFileSync(OUTPUTS_FILE, 'utf8')) as Record<string, Record<string, string>>;
  const outputs = stacks['smdpf-emulated'];
  const output = (name: string): string => {
    const value = outputs?.[name];
    if (value === undefined) throw new Error(`${OUTPUTS_FILE} has no ${name}: deploy first`);
    return value;
  };
  return {
    runtime: JSON.parse(output('Runtime')) as RuntimeConfig,
    stateMachine: output('StateMachine'),
    consoleApi: output('ConsoleApi'),
  };
}

/** The emulator, such as http://127.0.0.1:4566. */
export function emulatorUrl(): string {
  const url = process.env.AWS_ENDPOINT_URL;
  if (url === undefined) throw new Error('AWS_ENDPOINT_URL names no emulator');
  return url.replace(/\/$/, '');
}
