import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: checks keys and their certificates, and moves data keys to a new wrapping key after a rotation. */
export const handler = backgroundEntry('keys.check', async (_event: unknown) => {
  const { keyInventory, wrappingRotation } = await sharedRuntime();
  await keyInventory.check();
  await wrappingRotation.rewrap();
});
