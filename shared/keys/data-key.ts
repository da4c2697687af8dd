import { type Bytes, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import type { UseOptions, WrapContext } from './provider.ts';
import type { WrappingKey } from './registry.ts';

/** Octets of every data key. */
export const DATA_KEY_LENGTH = 32;

export function requireDataKey(plaintext: Bytes): void {
  if (plaintext.length !== DATA_KEY_LENGTH) {
    throw new Fault('invariant', `a data key has ${DATA_KEY_LENGTH} octets`);
  }
}

/**
 * Moves a wrapped data key to another wrapping key, with the same context: what was encrypted under the data key
 * stays as it is. The data key is in memory in between and is wiped.
 */
export async function rewrapDataKey(
  from: WrappingKey,
  to: WrappingKey,
  wrapped: Bytes,
  context: WrapContext,
  options?: UseOptions,
): Promise<Bytes> {
  const plaintext = await from.unwrapDataKey(wrapped, context, options);
  try {
    return await to.wrapDataKey(plaintext, context, options);
  } finally {
    wipe(plaintext);
  }
}
