import { join } from 'node:path';
import { DevelopmentPki } from '../cli/deployment/tls.ts';

/** The development CA of the emulated world: its certificate goes into the stack, for callbacks to the Operator. */
export function emulatedPki(): Promise<DevelopmentPki> {
  return DevelopmentPki.open(join(import.meta.dirname, '..', 'cdk.out', 'emulated-pki'));
}
