import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

/** A P-256 key that signs, with its name: the start of SHA-256 over its SubjectPublicKeyInfo. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly kid: string;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function signingKey(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const kid = createHash('sha256').update(spki).digest('hex').slice(0, 16);
  return { privateKey, kid, jwk: { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid } };
}

export const newSigningKey = (): SigningKey =>
  signingKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);

/** A callback before it is signed, and what may be wrong with it. */
export interface CallbackContent {
  readonly aud: string;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly endorsedAt: number;
  readonly typ?: string;
  readonly alg?: 'ES256' | 'none';
  /** Who endorses, where it is not the delivery key. */
  readonly endorser?: SigningKey;
  /** Who signs, where it is not the endorsed key. */
  readonly signer?: SigningKey;
  /** So many notices in one call, as callbackBatch of an order allows; one, and no array, where it is absent. */
  readonly together?: number;
}

export interface Callback {
  readonly body: string;
  /** X-JWS-Signature. */
  readonly signature: string;
}

const DAY = 24 * 3600;
const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** A callback of a profile that was installed, signed as docs/pre-sgp42.md says unless `content` makes it wrong. */
export function signedCallback(
  content: CallbackContent,
  delivery: SigningKey,
  ofTheDay: SigningKey,
): Callback {
  const { aud, iat, endorsedAt, typ = 'smdpf-callback+jws', alg = 'ES256' } = content;
  const { endorser = delivery, signer = ofTheDay } = content;
  const jti = `${randomBytes(12).toString('hex')}-1`;
  const { together } = content;
  const notices = Array.from({ length: together ?? 1 }, (_, n) =>
    noticeOf(together ? `${jti}-${n}` : jti, iat),
  );
  const several = { header: headerOf(jti), orderId: 'CONFORM-1', notifications: notices };
  const body = JSON.stringify(together === undefined ? notices[0] : several);
  const claims = {
    iss: 'smdpf.example.com',
    iat: endorsedAt,
    nbf: endorsedAt,
    exp: endorsedAt + DAY,
    jwk: ofTheDay.jwk,
  };
  // the name is that of the delivery key, whoever signs
  const head = { alg: 'ES256', typ: 'smdpf-callback-key+jws', kid: delivery.kid };
  const [first, second, third] = compact(head, JSON.stringify(claims), endorser);
  const endorsement = `${first}.${second}.${third}`;
  const [header, , value] = compact(
    { alg, typ, kid: ofTheDay.kid, aud, iat, jti, endorsement },
    body,
    signer,
  );
  return { body, signature: `${header}..${alg === 'none' ? '' : value}` };
}

const headerOf = (call: string) => ({
  functionRequesterIdentifier: '2.999.10',
  functionCallIdentifier: call,
});

const noticeOf = (call: string, at: number) => ({
  header: headerOf(call),
  orderId: 'CONFORM-1',
  iccid: '8988000000000000004',
  eid: '89049032000000000000000000000163',
  profileState: 'Installed',
  timestamp: new Date(at * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z'),
  notificationPointStatus: { status: 'Executed-Success' },
});

function compact(header: object, payload: string, { privateKey }: SigningKey): [string, string, string] {
  const protectedHeader = base64url(JSON.stringify(header));
  const content = base64url(payload);
  const input = Buffer.from(`${protectedHeader}.${content}`);
  const signature = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return [protectedHeader, content, signature.toString('base64url')];
}
