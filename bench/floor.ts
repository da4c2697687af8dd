import {
  createCipheriv,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

/**
 * The floor: the calls of node:crypto that the same work cannot do without, on buffers made before, with nothing
 * between them. What is above it is our own doing. Two of them:
 *
 * - plain: each call as its documentation shows it.
 * - lean: the forms of the same calls that node:crypto serves fastest (bare key objects and PEM strings; options
 *   objects cost it up to 30 µs a call). Our code uses these too.
 * - with the point: the lean one, and the ephemeral key's point as octets, which is in every BPP (smdpOtpk) and which node:crypto
 *   gives away by a call of its own. The two before are as they were, so that what was measured against them can be compared.
 */
export type FloorForm = 'plain' | 'lean' | 'withPoint';

export interface FloorInputs {
  readonly namedCurve: string;
  readonly euiccOtpk: KeyObject;
  readonly signingKey: KeyObject;
  /** Of a hybrid suite: encapsulated to as well, and hashed with the ciphertext. */
  readonly mlKem?: KeyObject;
}

const ZERO_IV = Buffer.alloc(16);
/** Of all forms the fastest to ask for, after the key is made; as an option of making it, it takes 20 µs more. */
const POINT = { format: 'raw-public' } as const;
const SMDP_SIGN_INPUT = Buffer.alloc(189);
const KDF_INPUT = Buffer.alloc(32 + 4 + 36);
/** Two points, a ciphertext of ML-KEM-768 and an encapsulation key. */
const TRANSCRIPT = Buffer.alloc(65 + 65 + 1088 + 1184);
const SEGMENT_DATA = 1007;

/** Octets that go through AES: to encrypt, IVs included, and to authenticate, chaining values and padding included. */
export interface AesWork {
  readonly encrypted: Buffer;
  readonly authenticated: Buffer;
}

/** ConfigureISDP, StoreMetadata of 50 octets and ReplaceSessionKeys. */
export const SESSION_ELEMENTS: AesWork = {
  encrypted: Buffer.alloc(16 + 16 + 16 + 64),
  authenticated: Buffer.alloc(48 + 80 + 96),
};

export function uppWork(octets: number): AesWork {
  const segments = Math.ceil(octets / SEGMENT_DATA);
  return { encrypted: Buffer.alloc(segments * 1024), authenticated: Buffer.alloc(segments * 1040) };
}

/** Key pair, its point in the form with it, the peer's point, agreement, the two hashes of the KDF, AES, signature. */
export function floorOfBind(form: FloorForm, inputs: FloorInputs, aes: AesWork): () => void {
  const { namedCurve, signingKey } = inputs;
  const spki = inputs.euiccOtpk.export({ format: 'der', type: 'spki' });
  const pem = inputs.euiccOtpk.export({ format: 'pem', type: 'spki' });
  const publicKeyInput = form === 'plain' ? ({ key: spki, format: 'der', type: 'spki' } as const) : pem;
  const signingInput =
    form === 'plain' ? ({ key: signingKey, dsaEncoding: 'ieee-p1363' } as const) : signingKey;
  const kemPem = inputs.mlKem?.export({ format: 'pem', type: 'spki' });
  return () => {
    if (kemPem !== undefined) {
      encapsulate(createPublicKey(kemPem));
      hash('sha256', TRANSCRIPT, 'buffer');
    }
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    if (form === 'withPoint') publicKey.export(POINT);
    diffieHellman({ privateKey, publicKey: createPublicKey(publicKeyInput) });
    hash('sha256', KDF_INPUT, 'buffer');
    floorOfAes(form, hash('sha256', KDF_INPUT, 'buffer'), aes);
    sign('sha256', SMDP_SIGN_INPUT, signingInput);
  };
}

/** Random keys and the two AES passes over the whole payload. */
export function floorOfProtect(form: FloorForm, aes: AesWork): () => void {
  return () => floorOfAes(form, randomBytes(48), aes);
}

/** One CBC stream to encrypt, one to authenticate, each fed at once. */
function floorOfAes(form: FloorForm, keys: Buffer, { encrypted, authenticated }: AesWork): void {
  const [encKey, macKey] = [keys.subarray(0, 16), keys.subarray(16, 32)];
  for (const [key, octets] of [[encKey, encrypted] as const, [macKey, authenticated] as const])
    createCipheriv('aes-128-cbc', form === 'plain' ? key : createSecretKey(key), ZERO_IV).update(octets);
}
