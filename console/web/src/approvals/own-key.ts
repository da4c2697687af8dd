import type { Schemas } from '../api/client.ts';

/** What is signed about an action that takes two administrators: shared/service/dual-control/signed-decision.ts. */
export interface Decision {
  readonly deployment: string;
  /** 32 hexadecimal characters. */
  readonly request: string;
  readonly action: Schemas['GuardedAction'];
  readonly subject: string;
  readonly decision: 'request' | 'approve' | 'withdraw' | 'begin';
}

/** A person's own key, as long as this page is open: the browser signs with it, and neither gives it out nor keeps it. */
export interface OwnKey {
  /** As the register of administrators has it. */
  readonly name: string;
  readonly key: CryptoKey;
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** Reads a private key (PKCS #8, PEM) and finds whose it is; says what is wrong with any other file. */
export async function openKey(
  file: Blob,
  administrators: readonly Schemas['AdministratorEntry'][],
): Promise<OwnKey> {
  const text = await file.text();
  const [, base64] = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(text) ?? [];
  if (base64 === undefined)
    throw new Error(
      /ENCRYPTED/.test(text)
        ? 'The key is under a password, which a browser does not ask for: agree by command, smdpf approvals.'
        : 'This is no private key in PEM (PKCS #8). Of another form, openssl pkcs8 -topk8 -nocrypt makes one.',
    );
  const octets = Uint8Array.from(atob(base64.replace(/\s/g, '')), (char) => char.charCodeAt(0));
  const opened = await crypto.subtle.importKey('pkcs8', octets, ECDSA, true, ['sign']).catch(() => undefined);
  if (opened === undefined) throw new Error('This is no key on P-256, as administrators have.');
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', opened);
  const jwk = { kty: kty!, crv: crv!, x: x!, y: y! };
  const isPublic = await crypto.subtle.importKey('jwk', jwk, ECDSA, true, ['verify']);
  const spki = await crypto.subtle.exportKey('spki', isPublic);
  const hash = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', spki)));
  const known = administrators.find(({ publicKey }) => publicKey === hash);
  if (known === undefined)
    throw new Error('No administrator is registered with this key: smdpf administrator add.');
  if (known.byCommand)
    throw new Error(`${known.name} acts as a role of AWS, which only the command shows: smdpf approvals.`);
  const key = await crypto.subtle.importKey('pkcs8', octets, ECDSA, false, ['sign']);
  octets.fill(0);
  return { name: known.name, key };
}

/** A compact JWS (RFC 7515, ES256) over a decision of now. */
export async function signDecision({ name, key }: OwnKey, decision: Decision): Promise<string> {
  const payload = { ...decision, name, at: new Date().toISOString() };
  const input = [{ alg: 'ES256', typ: 'smdpf-approval+jws' }, payload]
    .map((part) => base64Url(new TextEncoder().encode(JSON.stringify(part))))
    .join('.');
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(input));
  return `${input}.${base64Url(new Uint8Array(signature))}`;
}

export const newRequest = (): string => hex(crypto.getRandomValues(new Uint8Array(16)));

const hex = (octets: Uint8Array) =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');

const base64Url = (octets: Uint8Array) =>
  btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
