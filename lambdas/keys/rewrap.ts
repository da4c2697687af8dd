import type { RewrapResult, WrappingRotation } from '../../shared/service/keys/wrapping-rotation.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** Well within the function's time, with room for a data key whose calls are throttled to the end of their patience. */
const SLICE_MS = 120_000;

/** A slice of the way from former wrapping keys to the one in use; the next one goes on where it ended. */
export function rewrapSlice(
  rotation: Pick<WrappingRotation, 'rewrap'>,
  nowMs: () => number = () => performance.now(),
): Promise<RewrapResult> {
  const end = nowMs() + SLICE_MS;
  return rotation.rewrap({ stop: () => nowMs() >= end });
}

/** On a schedule: moves data keys to the wrapping key in use after a rotation. Costs one read where none is due. */
export const handler = backgroundEntry(
  'keys.rewrap',
  async (_event: unknown) => rewrapSlice((await sharedRuntime()).wrappingRotation),
  { outcome: ({ moved, waiting, stopped }) => ({ moved, waiting, stopped }) },
);
