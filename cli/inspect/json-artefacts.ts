import { createHash } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';

/** A JSON artefact or a JWS, told member by member. */
export interface JsonArtefact {
  readonly kind: string;
  readonly title: string;
  /** Name and value of each member; what is secret is named and not shown. */
  readonly members: readonly (readonly [name: string, value: string])[];
  /** What deserves to be known. */
  readonly notes: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

interface Kind {
  readonly kind: string;
  readonly title: string;
  matches(value: Json): boolean;
  readonly notes?: (value: Json) => readonly string[];
}

const has =
  (...names: readonly string[]) =>
  (value: Json) =>
    names.every((name) => Object.hasOwn(value, name));

const KINDS: readonly Kind[] = [
  {
    kind: 'jwk',
    title: 'JSON Web Key (RFC 7517)',
    matches: has('kty'),
    notes: (value) => [
      ...(value.d !== undefined || value.k !== undefined || value.priv !== undefined
        ? ['It has a private part, which is not shown: keep the file to yourself.']
        : []),
      `thumbprint (RFC 7638): ${thumbprint(value)}`,
    ],
  },
  { kind: 'jwkSet', title: 'JSON Web Key Set (RFC 7517)', matches: has('keys') },
  { kind: 'serverKeys', title: 'keys of a server (getServerKeys)', matches: has('deliveryKeys') },
  {
    kind: 'erasureStatement',
    title: 'statement of an erasure',
    matches: has('statement', 'sha256'),
    notes: () => ['smdpf statement verify FILE says whether its signature holds.'],
  },
  {
    kind: 'order',
    title: 'order of profiles (prepareProfiles)',
    matches: has('orderId'),
    notes: (value) =>
      ['profileType', 'quantity', 'requesterDms', 'personalisation', 'metadata']
        .filter((name) => !Object.hasOwn(value, name))
        .map((name) => `an order needs ${name}, which is missing`),
  },
  { kind: 'packageManifest', title: 'manifest in JSON', matches: has('parts') },
  { kind: 'runtimeConfig', title: 'configuration of a deployment', matches: has('runtime') },
];

const SECRET = new Set(['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv', 'transferSecret', 'passphrase']);
const WIDTH = 160;

/** What a JSON file or a compact JWS says; undefined where the file is neither, or JSON of no known kind. */
export function inspectJson(file: Bytes): JsonArtefact | undefined {
  const text = textOf(file)?.trim();
  if (text === undefined) return undefined;
  const jws = /^([\w-]+)\.([\w-]*)\.([\w-]+)$/.exec(text);
  if (jws !== null) return inspectJws(jws[1]!, jws[2]!);
  const value = objectOf(text);
  const found = value && KINDS.find(({ matches }) => matches(value));
  if (value === undefined || found === undefined) return undefined;
  return {
    kind: found.kind,
    title: found.title,
    members: membersOf(value),
    notes: found.notes?.(value) ?? [],
  };
}

function inspectJws(header: string, payload: string): JsonArtefact | undefined {
  const decoded = (part: string) => objectOf(Buffer.from(part, 'base64url').toString('utf8'));
  const head = decoded(header);
  if (head === undefined || typeof head.alg !== 'string') return undefined;
  const body = decoded(payload);
  return {
    kind: 'jws',
    title: `JSON Web Signature (RFC 7515)${typeof head.typ === 'string' ? `, ${head.typ}` : ''}`,
    members: [
      ...membersOf(head).map(([name, value]) => [`header ${name}`, value] as const),
      ...membersOf(body ?? {}),
    ],
    notes: [
      ...(body === undefined ? ['Its content is not in it, or is no JSON object.'] : []),
      'The signature is not verified here: smdpf statement verify FILE --keys FILE does that.',
    ],
  };
}

const membersOf = (value: Json) =>
  Object.entries(value).map(
    ([name, member]) => [name, SECRET.has(name) ? '(not shown)' : shown(member)] as const,
  );

function shown(member: unknown): string {
  if (typeof member === 'string') return shortened(member);
  return shortened(
    JSON.stringify(member, (name, value: unknown) => (SECRET.has(name) ? '(not shown)' : value)) ?? '',
  );
}

const shortened = (text: string) =>
  text.length > WIDTH ? `${text.slice(0, WIDTH)}… (${text.length} characters)` : text;

function objectOf(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Members that count for each key type, in the order of their names. */
const THUMBPRINT: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  RSA: ['e', 'kty', 'n'],
  OKP: ['crv', 'kty', 'x'],
};

function thumbprint(jwk: Json): string {
  const names = typeof jwk.kty === 'string' ? THUMBPRINT[jwk.kty] : undefined;
  if (names === undefined) return 'of no key type that is known here';
  const json = JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(json).digest('base64url');
}

function textOf(file: Bytes): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch {
    return undefined;
  }
}
