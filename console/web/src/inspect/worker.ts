import './globals.ts';
import type { Inspection } from '../../../../cli/inspect/inspect.ts';
import { inspect } from '../../../../cli/inspect/inspect.ts';
import { Refusal } from '../../../../shared/errors.ts';

export type Inspected =
  | { readonly inspection: Inspection }
  | { readonly refused: string; readonly offset?: number | undefined };

/** Looks at a file in a thread of this page: what is dropped here goes nowhere else. */
addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
  postMessage(inspected(new Uint8Array(data)));
});

function inspected(octets: Uint8Array): Inspected {
  try {
    return { inspection: inspect(Buffer.from(octets)) };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message, offset: error.offset };
    return { refused: `this artefact can only be looked at by smdpf inspect: ${(error as Error).message}` };
  }
}
