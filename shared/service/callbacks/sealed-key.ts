import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Bytes, wipe } from '../../codec/bytes.ts';
import { decodeWrappedKey } from '../../keys/wrapped-key.ts';
import { type Sealed, seal, unseal } from '../keys/sealed.ts';
import { type CallbackKeyName, callbackKeyContext } from '../records/wrap-contexts.ts';
import type { CallbackContext } from './callback-context.ts';

/** A private key at rest; see records/callback-keys.ts. */
export interface SealedKey extends Sealed {
  readonly publicKey: Bytes;
}

const entryOf = (name: CallbackKeyName) => `callbacks/${name}`;

/** A new P-256 key, or one that was brought, sealed under the wrapping key in use. */
export async function sealNewKey(
  context: Pick<CallbackContext, 'dataKeys'>,
  name: CallbackKeyName,
  brought?: KeyObject,
): Promise<{ readonly privateKey: KeyObject; readonly stored: SealedKey }> {
  const privateKey = brought ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  try {
    const place = { name: entryOf(name), place: { callbackKey: name }, context: callbackKeyContext(name) };
    const sealed = await seal(context, pkcs8, place);
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    return { privateKey, stored: { publicKey, ...sealed } };
  } finally {
    wipe(pkcs8);
  }
}

/**
 * After a sealed key was stored: a rotation of the wrapping key that ran in between has found nothing to move, and struck
 * the key off its list.
 */
export async function noteSealedKey(
  { dataKeys }: Pick<CallbackContext, 'dataKeys'>,
  name: CallbackKeyName,
  { wrappedKey }: SealedKey,
): Promise<void> {
  await dataKeys.note(decodeWrappedKey(wrappedKey).keyUri, entryOf(name), { callbackKey: name });
}

export async function openSealedKey(
  context: Pick<CallbackContext, 'dataKeys'>,
  name: CallbackKeyName,
  stored: SealedKey,
): Promise<KeyObject> {
  const pkcs8 = Buffer.from(await unseal(context, stored, callbackKeyContext(name)));
  try {
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(pkcs8);
  }
}
