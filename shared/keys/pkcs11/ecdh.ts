import type { ECDH1, Handle } from 'pkcs11js';
import type { Bytes } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import type { Cryptoki } from './module.ts';

const SECRET_LENGTH = 32;

/**
 * CKM_ECDH1_DERIVE without a KDF: the x coordinate, 32 octets, as an object of this session that is read and destroyed
 * at once. The private key stays what it is; only what it agrees on leaves, which is what a key agreement is for.
 */
export async function deriveEcdh(
  { library, constants }: Cryptoki,
  session: Handle,
  key: Handle,
  peerPoint: Bytes,
): Promise<Bytes> {
  const parameter: ECDH1 = {
    type: constants.CK_PARAMS_EC_DH,
    kdf: constants.CKD_NULL,
    publicData: Buffer.from(peerPoint),
  };
  const mechanism = { mechanism: constants.CKM_ECDH1_DERIVE, parameter };
  const shared = await library.C_DeriveKeyAsync(session, mechanism, key, [
    { type: constants.CKA_CLASS, value: constants.CKO_SECRET_KEY },
    { type: constants.CKA_KEY_TYPE, value: constants.CKK_GENERIC_SECRET },
    { type: constants.CKA_TOKEN, value: false },
    { type: constants.CKA_SENSITIVE, value: false },
    { type: constants.CKA_EXTRACTABLE, value: true },
    { type: constants.CKA_VALUE_LEN, value: SECRET_LENGTH },
  ]);
  try {
    const secret = library.C_GetAttributeValue(session, shared, [{ type: constants.CKA_VALUE }])[0]?.value;
    if (secret?.length !== SECRET_LENGTH)
      throw new Fault('keyProvider', `the token agreed on other than ${SECRET_LENGTH} octets`);
    return secret;
  } finally {
    library.C_DestroyObject(session, shared);
  }
}
