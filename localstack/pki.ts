import { join } from 'node:path';
import { DevelopmentPki } from '../cli/deployment/tls.ts';

/** Where the development CA of the emulated world lies. */
export const EMULATED_PKI = join(import.meta.dirname, '..', 'cdk.out', 'emulated-pki');

/** The development CA of the emulated world: its certificate goes into the stack, for callbacks to the Operator. */
export function emulatedPki(): Promise<DevelopmentPki> {
  return DevelopmentPki.open(EMULATED_PKI);
}
