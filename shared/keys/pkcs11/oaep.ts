import type { Handle, Mechanism, RsaOAEP } from 'pkcs11js';
import type { OaepHash } from '../provider.ts';
import { type Cryptoki, ckrName } from './module.ts';

/** The OAEP label is given as octets (none): PKCS#11 v2.40, 2.1.7; pkcs11js lacks the constant. */
const CKZ_DATA_SPECIFIED = 1;

/** CKM_RSA_PKCS_OAEP with an empty label, and the same hash for it and for MGF1. */
export function oaep({ constants }: Cryptoki, hash: OaepHash): Mechanism {
  const [hashAlg, mgf] =
    hash === 'sha-256'
      ? [constants.CKM_SHA256, constants.CKG_MGF1_SHA256]
      : [constants.CKM_SHA_1, constants.CKG_MGF1_SHA1];
  const parameter: RsaOAEP = {
    type: constants.CK_PARAMS_RSA_OAEP,
    hashAlg,
    mgf,
    source: CKZ_DATA_SPECIFIED,
  };
  return { mechanism: constants.CKM_RSA_PKCS_OAEP, parameter };
}

/** Answers to a hash that the token does not have; SoftHSM2 gives the first. */
const NOT_THIS_HASH: ReadonlySet<string> = new Set(['CKR_ARGUMENTS_BAD', 'CKR_MECHANISM_PARAM_INVALID']);
/** Answers to a key that opens nothing. */
const NOT_THIS_KEY: ReadonlySet<string> = new Set([
  'CKR_KEY_FUNCTION_NOT_PERMITTED',
  'CKR_MECHANISM_INVALID',
]);

/**
 * The hash of OAEP that the token has for this private key: SHA-256, or SHA-1 where it has nothing else; undefined
 * where the key does not decrypt. C_GetMechanismInfo says nothing of hashes, so the token is asked to begin, in a
 * session of its own, since only the end of that session ends what was begun.
 */
export function oaepHashOf(cryptoki: Cryptoki, session: Handle, key: Handle): OaepHash | undefined {
  const { library, constants } = cryptoki;
  const { slotID } = library.C_GetSessionInfo(session);
  for (const hash of ['sha-256', 'sha-1'] as const) {
    const own = library.C_OpenSession(slotID, constants.CKF_SERIAL_SESSION);
    try {
      library.C_DecryptInit(own, oaep(cryptoki, hash), key);
      return hash;
    } catch (error) {
      if (NOT_THIS_KEY.has(ckrName(error))) return undefined;
      if (!NOT_THIS_HASH.has(ckrName(error))) throw error;
    } finally {
      library.C_CloseSession(own);
    }
  }
  return undefined;
}
