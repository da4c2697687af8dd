import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type Bytes, utf8 } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import type { WrapContext } from '../../keys/provider.ts';
import type { Context } from '../context.ts';
import type { WrappedUnder } from '../records/custody.ts';

/**
 * Octets that must not be at rest in clear, such as a template: nonce(12) ‖ AES-256-GCM ‖ tag(16) under a data key of
 * their own, which the wrapping key wraps. The context is authenticated twice, with the key and with the octets.
 */
export interface Sealed {
  readonly sealed: Bytes;
  readonly wrappedKey: Bytes;
}

/** What is sealed: its name and place in the list of the wrapping key, and what is authenticated. */
export interface SealedPlace {
  readonly name: string;
  readonly place: WrappedUnder;
  readonly context: WrapContext;
}

const NONCE = 12;
const TAG = 16;

const authenticated = (context: WrapContext) => utf8(JSON.stringify(Object.entries(context).sort()));

export async function seal(
  { dataKeys }: Pick<Context, 'dataKeys'>,
  plain: Bytes,
  { name, place, context }: SealedPlace,
): Promise<Sealed> {
  const { dataKey, stored } = await dataKeys.generate(name, place, context);
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce);
  cipher.setAAD(authenticated(context));
  return {
    sealed: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    wrappedKey: stored,
  };
}

/** The caller wipes what it gets. */
export async function unseal(
  { dataKeys }: Pick<Context, 'dataKeys'>,
  { sealed, wrappedKey }: Sealed,
  context: WrapContext,
): Promise<Bytes> {
  const dataKey = await dataKeys.open(wrappedKey, context);
  const cipher = createDecipheriv('aes-256-gcm', dataKey, sealed.subarray(0, NONCE));
  cipher.setAAD(authenticated(context));
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(NONCE, sealed.length - TAG)), cipher.final()]);
  } catch {
    throw new Fault('vault', 'a sealed object was altered');
  }
}
