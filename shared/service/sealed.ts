import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { type Bytes, utf8, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import type { WrapContext } from '../keys/provider.ts';
import type { Context } from './context.ts';

/**
 * Octets that must not be at rest in clear, such as a template: nonce(12) ‖ AES-256-GCM ‖ tag(16) under a data key of
 * their own, which the wrapping key wraps. The context is authenticated twice, with the key and with the octets.
 */
export interface Sealed {
  readonly sealed: Bytes;
  readonly wrappedKey: Bytes;
}

const NONCE = 12;
const TAG = 16;

const authenticated = (context: WrapContext) => utf8(JSON.stringify(Object.entries(context).sort()));

export async function seal(
  { keyRing, settings }: Context,
  plain: Bytes,
  context: WrapContext,
): Promise<Sealed> {
  const { plaintext, wrapped } = await (await keyRing.wrapping(settings.wrappingKey)).generateDataKey(
    context,
  );
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(plaintext), nonce);
  wipe(plaintext);
  cipher.setAAD(authenticated(context));
  return {
    sealed: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    wrappedKey: wrapped,
  };
}

/** The caller wipes what it gets. */
export async function unseal(
  { keyRing, settings }: Context,
  { sealed, wrappedKey }: Sealed,
  context: WrapContext,
): Promise<Bytes> {
  const plaintext = await (await keyRing.wrapping(settings.wrappingKey)).unwrapDataKey(wrappedKey, context);
  const cipher = createDecipheriv('aes-256-gcm', createSecretKey(plaintext), sealed.subarray(0, NONCE));
  wipe(plaintext);
  cipher.setAAD(authenticated(context));
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(NONCE, sealed.length - TAG)), cipher.final()]);
  } catch {
    throw new Fault('vault', 'a sealed object was altered');
  }
}
