import { createPublicKey, X509Certificate } from 'node:crypto';
import type { Attribute, Handle, Template } from 'pkcs11js';
import { type Bytes, toHex } from '../../codec/bytes.ts';
import { encodeOid } from '../../codec/oid.ts';
import { readSingleTlv, tlv } from '../../codec/tlv.ts';
import { toSpki } from '../../crypto/curves.ts';
import { fromSpki, readEcParameters } from '../../crypto/ec-key-forms.ts';
import { Fault } from '../../errors.ts';
import { curveOfKey, readAsOwn } from '../key-curve.ts';
import type { KeyAlgorithm, OaepHash } from '../provider.ts';
import type { Pkcs11Uri } from '../uri.ts';
import { readEcPoint } from './ec-point.ts';
import { type Cryptoki, ckr } from './module.ts';
import { oaepHashOf } from './oaep.ts';

/** A private or secret key object of a token, with what its attributes say. */
export interface TokenKey {
  readonly handle: Handle;
  readonly algorithm: KeyAlgorithm;
  /** Of an RSA key that decrypts. */
  readonly oaepHash?: OaepHash;
  readonly label: string;
  readonly id: Bytes;
  /** CKA_SENSITIVE, CKA_EXTRACTABLE and so on, by name; those that the token does not know are absent. */
  readonly attributes: Readonly<Record<string, boolean>>;
}

const EVIDENCE = [
  'CKA_PRIVATE',
  'CKA_SENSITIVE',
  'CKA_ALWAYS_SENSITIVE',
  'CKA_EXTRACTABLE',
  'CKA_NEVER_EXTRACTABLE',
  'CKA_LOCAL',
  'CKA_SIGN',
  'CKA_DECRYPT',
  'CKA_UNWRAP',
  'CKA_DERIVE',
] as const;

/** The one key that the URI names; none and several are Faults. */
export function findKey(cryptoki: Cryptoki, session: Handle, uri: Pkcs11Uri): TokenKey {
  const handles = findKeyHandles(cryptoki, session, uri);
  if (handles.length > 1) throw new Fault('configuration', 'the pkcs11 URI fits several keys of the token');
  const [handle] = handles;
  if (handle === undefined) throw new Fault('keyProvider', 'the token has no key that fits the pkcs11 URI');
  const { constants } = cryptoki;
  const read = (type: number) => readAttribute(cryptoki, session, handle, type);
  const evidence = EVIDENCE.flatMap((name) => {
    const value = read(constants[name]);
    return value === undefined ? [] : [[name, value[0] !== 0] as const];
  });
  const attributes: TokenKey['attributes'] = Object.fromEntries(evidence);
  const algorithm = algorithmOf(cryptoki, session, handle, attributes);
  const oaepHash = algorithm === 'rsa-oaep' ? oaepHashOf(cryptoki, session, handle) : undefined;
  return {
    handle,
    algorithm,
    ...(oaepHash && { oaepHash }),
    label: (read(constants.CKA_LABEL) ?? Buffer.alloc(0)).toString('utf8'),
    id: read(constants.CKA_ID) ?? Buffer.alloc(0),
    attributes,
  };
}

export function findKeyHandles({ library, constants }: Cryptoki, session: Handle, uri: Pkcs11Uri): Handle[] {
  const classes = {
    private: [constants.CKO_PRIVATE_KEY],
    'secret-key': [constants.CKO_SECRET_KEY],
    any: [constants.CKO_PRIVATE_KEY, constants.CKO_SECRET_KEY],
  }[uri.type ?? 'any'];
  return classes.flatMap((objectClass) =>
    findObjects(library, session, [
      { type: constants.CKA_CLASS, value: objectClass },
      ...(uri.object === undefined ? [] : [{ type: constants.CKA_LABEL, value: uri.object }]),
      ...(uri.id === undefined ? [] : [{ type: constants.CKA_ID, value: Buffer.from(uri.id) }]),
    ]),
  );
}

/**
 * SubjectPublicKeyInfo in DER of a key pair, from the public key object or the certificate with the same CKA_ID.
 */
export function readPublicKey(cryptoki: Cryptoki, session: Handle, key: TokenKey): Bytes {
  if (key.algorithm === 'aes-256') throw new Fault('configuration', 'a secret key has no public key');
  const { library, constants } = cryptoki;
  const find = (objectClass: number) =>
    findObjects(library, session, [
      { type: constants.CKA_CLASS, value: objectClass },
      { type: constants.CKA_ID, value: Buffer.from(key.id) },
    ])[0];
  const publicKey = find(constants.CKO_PUBLIC_KEY);
  if (publicKey !== undefined) return spkiOf(cryptoki, session, publicKey, key.algorithm);
  const certificate = find(constants.CKO_CERTIFICATE);
  const der = certificate && readAttribute(cryptoki, session, certificate, constants.CKA_VALUE);
  if (der) return certifiedKey(der, key.algorithm);
  throw new Fault(
    'keyProvider',
    `the token has neither public key nor certificate with the CKA_ID of the key, ${toHex(key.id)}`,
  );
}

/** Of a certificate, which may write its key in the canonical form alone. */
function certifiedKey(der: Buffer, algorithm: KeyAlgorithm): Bytes {
  const spki = new X509Certificate(der).publicKey.export({ format: 'der', type: 'spki' });
  return algorithm === 'rsa-oaep' ? spki : readAsOwn(() => toSpki(fromSpki(spki)));
}

function spkiOf(cryptoki: Cryptoki, session: Handle, publicKey: Handle, algorithm: KeyAlgorithm): Bytes {
  const { constants } = cryptoki;
  const read = (type: number) =>
    readAttribute(cryptoki, session, publicKey, type) ?? missing('of the public key');
  if (algorithm === 'rsa-oaep') {
    const n = read(constants.CKA_MODULUS).toString('base64url');
    const e = read(constants.CKA_PUBLIC_EXPONENT).toString('base64url');
    return createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }).export({
      format: 'der',
      type: 'spki',
    });
  }
  const point = read(constants.CKA_EC_POINT);
  return readAsOwn(() => toSpki(readEcPoint(curveOfKey(algorithm), point)));
}

/** A key on a curve is for signing; one that may derive instead has no use here. */
function algorithmOf(
  cryptoki: Cryptoki,
  session: Handle,
  key: Handle,
  { CKA_SIGN, CKA_DERIVE }: TokenKey['attributes'],
): KeyAlgorithm {
  const { constants } = cryptoki;
  const read = (type: number) => readAttribute(cryptoki, session, key, type) ?? missing('of the key');
  const number = (type: number) => read(type).readUInt32LE();
  switch (number(constants.CKA_KEY_TYPE)) {
    case constants.CKK_RSA:
      return 'rsa-oaep';
    case constants.CKK_AES:
      if (number(constants.CKA_VALUE_LEN) !== 32) break;
      return 'aes-256';
    case constants.CKK_EC: {
      const params = read(constants.CKA_EC_PARAMS);
      const { keyAlgorithm } = readAsOwn(() => readEcParameters(readSingleTlv(params)));
      if (CKA_DERIVE === true && CKA_SIGN === false)
        throw new Fault('configuration', 'the key may derive and not sign, which nothing here asks for');
      return keyAlgorithm;
    }
  }
  throw new Fault('configuration', 'the key is neither EC, nor RSA, nor AES of 256 bits');
}

function ecParams(curveOid: string): Bytes {
  return tlv(0x06, encodeOid(curveOid));
}

/** Templates of new keys: non-extractable, and each able to do what its role needs and nothing else. */
export async function generateTokenKey(
  { library, constants }: Cryptoki,
  session: Handle,
  name: { readonly label: string; readonly id: Bytes },
  algorithm: KeyAlgorithm,
): Promise<void> {
  const common: Template = [
    { type: constants.CKA_TOKEN, value: true },
    { type: constants.CKA_LABEL, value: name.label },
    { type: constants.CKA_ID, value: Buffer.from(name.id) },
  ];
  const hidden: Template = [
    ...common,
    { type: constants.CKA_PRIVATE, value: true },
    { type: constants.CKA_SENSITIVE, value: true },
    { type: constants.CKA_EXTRACTABLE, value: false },
  ];
  const may = (...allowed: readonly number[]): Attribute[] =>
    [constants.CKA_SIGN, constants.CKA_DECRYPT, constants.CKA_UNWRAP, constants.CKA_DERIVE].map((type) => ({
      type,
      value: allowed.includes(type),
    }));

  if (algorithm === 'aes-256') {
    await library.C_GenerateKeyAsync(session, { mechanism: constants.CKM_AES_KEY_GEN }, [
      ...hidden,
      { type: constants.CKA_VALUE_LEN, value: 32 },
      { type: constants.CKA_ENCRYPT, value: true },
      ...may(constants.CKA_DECRYPT),
      { type: constants.CKA_WRAP, value: false },
    ]);
    return;
  }
  if (algorithm === 'rsa-oaep') {
    await library.C_GenerateKeyPairAsync(
      session,
      { mechanism: constants.CKM_RSA_PKCS_KEY_PAIR_GEN },
      [
        ...common,
        { type: constants.CKA_MODULUS_BITS, value: 3072 },
        { type: constants.CKA_PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
        { type: constants.CKA_ENCRYPT, value: true },
      ],
      [...hidden, ...may(constants.CKA_DECRYPT)],
    );
    return;
  }
  const curve = curveOfKey(algorithm);
  await library.C_GenerateKeyPairAsync(
    session,
    { mechanism: constants.CKM_EC_KEY_PAIR_GEN },
    [
      ...common,
      { type: constants.CKA_EC_PARAMS, value: Buffer.from(ecParams(curve.oid)) },
      { type: constants.CKA_VERIFY, value: true },
    ],
    [...hidden, ...may(constants.CKA_SIGN)],
  );
}

function findObjects(library: Cryptoki['library'], session: Handle, template: Template): Handle[] {
  library.C_FindObjectsInit(session, template);
  try {
    return library.C_FindObjects(session, 2);
  } finally {
    library.C_FindObjectsFinal(session);
  }
}

/** The value, or undefined where this token does not have the attribute. Other errors pass. */
function readAttribute(
  { library, constants }: Cryptoki,
  session: Handle,
  object: Handle,
  type: number,
): Buffer | undefined {
  try {
    return library.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
  } catch (error) {
    if (ckr(error) === constants.CKR_ATTRIBUTE_TYPE_INVALID) return undefined;
    throw error;
  }
}

function missing(what: string): never {
  throw new Fault('keyProvider', `the token does not tell an attribute ${what}`);
}
