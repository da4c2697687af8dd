import { type Bytes, toHex } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { formatSecretSource, parseSecretSource, type SecretSource } from './secret-source.ts';

/**
 * Key URIs: one key, one URI, in the shape of RFC 7512 for every scheme:
 * `scheme:name=value;name=value?name=value&name=value`, values percent-encoded UTF-8.
 *
 * - `awskms:key-id=ID|alias/NAME|ARN[;region=R][;endpoint=URL]`, or `awskms:alias=NAME[;…]`
 * - `pkcs11:token=LABEL;object=LABEL;id=%01%02;type=private[;serial=…][;slot-id=N][;manufacturer=…][;model=…]`
 *   `[?module-path=/LIB.so&pin-source=file:PATH|env:NAME]` (RFC 7512); a PIN in the URI is refused
 * - `softkey:path=FILE[?passphrase-source=file:PATH|env:NAME]`, or shorter `softkey:FILE[?…]`
 * - `pem:path=FILE`, or shorter `pem:FILE`: an unencrypted private key, for tests and tools
 *
 * Only the scheme ignores case. Unknown, duplicate, empty and contradictory attributes are refused as
 * Fault('configuration'), and no message repeats a value, because a mistyped one may be a PIN.
 */
export type KeyUri = AwsKmsUri | Pkcs11Uri | SoftkeyUri | PemUri;
export type KeyScheme = KeyUri['scheme'];

export interface AwsKmsUri {
  readonly scheme: 'awskms';
  /** A key id, `alias/NAME` or an ARN of either, as KMS takes it. */
  readonly keyId: string;
  readonly region?: string;
  readonly endpoint?: string;
}

export interface Pkcs11Uri {
  readonly scheme: 'pkcs11';
  readonly token?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly slotId?: number;
  /** CKA_LABEL. */
  readonly object?: string;
  /** CKA_ID, any octets. */
  readonly id?: Bytes;
  readonly type?: 'private' | 'secret-key';
  readonly modulePath?: string;
  readonly pinSource?: SecretSource;
}

export interface SoftkeyUri {
  readonly scheme: 'softkey';
  readonly path: string;
  readonly passphraseSource?: SecretSource;
}

export interface PemUri {
  readonly scheme: 'pem';
  readonly path: string;
}

/** RFC 7512 section 2.3: pk11-pchar and pk11-qchar, with "/" in both, since paths and ARNs are readable so. */
const PATH_CHARACTERS = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&/]|%[0-9A-Fa-f]{2})*$/;
const QUERY_CHARACTERS = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*$/;

/** The accepted attributes of a scheme, in the order in which they are printed. */
interface Grammar {
  readonly path: readonly string[];
  readonly query: readonly string[];
  /** The attribute that a path without `name=` stands for. */
  readonly short?: string;
}

const GRAMMARS: Readonly<Record<KeyScheme, Grammar>> = {
  awskms: { path: ['key-id', 'alias', 'region', 'endpoint'], query: [] },
  pkcs11: {
    path: ['token', 'manufacturer', 'model', 'serial', 'slot-id', 'object', 'type', 'id'],
    query: ['module-path', 'pin-source'],
  },
  softkey: { path: ['path'], query: ['passphrase-source'], short: 'path' },
  pem: { path: ['path'], query: [], short: 'path' },
};

/** Every scheme that there is. */
export const KEY_SCHEMES = Object.keys(GRAMMARS) as readonly KeyScheme[];

type Attributes = Map<string, Bytes>;

function fail(what: string): never {
  throw new Fault('configuration', `key URI: ${what}`);
}

export function parseKeyUri(text: string): KeyUri {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!isScheme(scheme)) {
    return fail(`the scheme must be one of ${KEY_SCHEMES.join(', ')}`);
  }
  const grammar = GRAMMARS[scheme];
  const mark = text.indexOf('?', colon);
  const path = mark < 0 ? text.slice(colon + 1) : text.slice(colon + 1, mark);
  const query = mark < 0 ? undefined : text.slice(mark + 1);
  const attributes: Attributes = new Map();
  readAttributes(attributes, expandShort(path, grammar), ';', grammar.path, PATH_CHARACTERS, scheme);
  if (query !== undefined) {
    readAttributes(attributes, query, '&', grammar.query, QUERY_CHARACTERS, scheme);
  }
  return BUILDERS[scheme](attributes);
}

/**
 * For tools that make several keys in one token: a pkcs11 URI that names the token and no key in it becomes the
 * canonical URI of the key with this label. Any other URI comes back canonical and otherwise as it is.
 */
export function keyInToken(text: string, object: string): string {
  if (!namesWholeToken(text)) return formatKeyUri(parseKeyUri(text));
  const [path, ...query] = text.split('?');
  return formatKeyUri(parseKeyUri([`${path};object=${encodeURIComponent(object)}`, ...query].join('?')));
}

/** Whether a pkcs11 URI names a token and no key in it. */
export function namesWholeToken(text: string): boolean {
  const [scheme, ...attributes] = (text.split('?')[0] ?? '').split(/[:;]/);
  return scheme?.toLowerCase() === 'pkcs11' && !attributes.some((one) => /^(?:object|id)=/.test(one));
}

function isScheme(scheme: string): scheme is KeyScheme {
  return Object.hasOwn(GRAMMARS, scheme);
}

function expandShort(path: string, grammar: Grammar): string {
  const isShort = grammar.short !== undefined && path !== '' && !/^[a-z-]+=/.test(path);
  return isShort ? `${grammar.short}=${path}` : path;
}

function readAttributes(
  into: Attributes,
  text: string,
  separator: string,
  accepted: readonly string[],
  characters: RegExp,
  scheme: KeyScheme,
): void {
  for (const part of text.split(separator)) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0));
    if (name === 'pin-value') {
      fail('a PIN does not belong into a URI (pin-value); name a pin-source');
    }
    if (!/^[a-z0-9-]+$/.test(name)) fail(`expected name=value parts separated by "${separator}"`);
    if (!accepted.includes(name)) fail(`${scheme} has no attribute ${name} here`);
    if (into.has(name)) fail(`${name} is given twice`);
    const value = part.slice(equals + 1);
    if (value === '') fail(`${name} is empty`);
    if (!characters.test(value)) fail(`${name} has a character that must be percent-encoded`);
    into.set(name, percentDecode(value));
  }
}

function percentDecode(value: string): Bytes {
  return Buffer.from(
    value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(attributes: Attributes, name: string): string | undefined {
  const octets = attributes.get(name);
  if (octets === undefined) return undefined;
  let value: string;
  try {
    value = strictUtf8.decode(octets);
  } catch {
    return fail(`${name} is not UTF-8`);
  }
  for (const character of value) {
    if (character < ' ' || character === '\x7f') fail(`${name} has a control character`);
  }
  return value;
}

/** The members that are present: optional members of a URI are absent, never undefined. */
function present<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

const BUILDERS: Readonly<Record<KeyScheme, (attributes: Attributes) => KeyUri>> = {
  awskms(attributes) {
    const alias = text(attributes, 'alias');
    const keyId = text(attributes, 'key-id');
    if ((alias === undefined) === (keyId === undefined)) fail('awskms takes either key-id or alias');
    if (alias !== undefined && !/^(?!alias\/)[A-Za-z0-9/_-]+$/.test(alias)) {
      fail('alias is the name after "alias/", of letters, digits, "/", "_" and "-"');
    }
    const named = keyId ?? `alias/${alias}`;
    const region = text(attributes, 'region');
    if (region !== undefined && !/^[a-z0-9-]+$/.test(region)) fail('region is not the name of a region');
    const arn = /^arn:[a-z-]+:kms:([a-z0-9-]+):\d{12}:(?:key|alias)\/[A-Za-z0-9/_-]+$/.exec(named);
    if (!arn && !/^(?:alias\/[A-Za-z0-9/_-]+|[A-Za-z0-9-]+)$/.test(named)) {
      fail('key-id must be a key id, alias/NAME or an ARN of AWS KMS');
    }
    if (arn && region !== undefined && arn[1] !== region) fail('region contradicts the ARN in key-id');
    const endpoint = text(attributes, 'endpoint');
    if (endpoint !== undefined) checkEndpoint(endpoint);
    return present<AwsKmsUri>({ scheme: 'awskms', keyId: named, region, endpoint });
  },

  pkcs11(attributes) {
    const type = text(attributes, 'type');
    if (type !== undefined && type !== 'private' && type !== 'secret-key') {
      return fail('type must be private or secret-key');
    }
    const slot = text(attributes, 'slot-id');
    if (slot !== undefined && !/^(?:0|[1-9]\d{0,9})$/.test(slot)) fail('slot-id must be a decimal number');
    const modulePath = text(attributes, 'module-path');
    if (modulePath !== undefined && !modulePath.startsWith('/')) fail('module-path must be absolute');
    const pinSource = text(attributes, 'pin-source');
    const uri = present<Pkcs11Uri>({
      scheme: 'pkcs11',
      token: text(attributes, 'token'),
      manufacturer: text(attributes, 'manufacturer'),
      model: text(attributes, 'model'),
      serial: text(attributes, 'serial'),
      slotId: slot === undefined ? undefined : Number(slot),
      object: text(attributes, 'object'),
      type,
      id: attributes.get('id'),
      modulePath,
      pinSource: pinSource === undefined ? undefined : parseSecretSource(pinSource, 'pin-source'),
    });
    if (uri.token === undefined && uri.serial === undefined && uri.slotId === undefined) {
      fail('pkcs11 needs token, serial or slot-id');
    }
    if (uri.object === undefined && uri.id === undefined) fail('pkcs11 needs object or id');
    return uri;
  },

  softkey(attributes) {
    const source = text(attributes, 'passphrase-source');
    return present<SoftkeyUri>({
      scheme: 'softkey',
      path: text(attributes, 'path') ?? fail('softkey needs a path'),
      passphraseSource: source === undefined ? undefined : parseSecretSource(source, 'passphrase-source'),
    });
  },

  pem: (attributes) => ({ scheme: 'pem', path: text(attributes, 'path') ?? fail('pem needs a path') }),
};

const THIS_MACHINE: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Data keys come back from KMS in clear, under TLS alone: plain http is for emulators on this machine. */
export function checkEndpoint(endpoint: string): void {
  const url = URL.parse(endpoint) ?? fail('endpoint must be a URL');
  const isHere = url.protocol === 'http:' && THIS_MACHINE.has(url.hostname);
  if (url.protocol !== 'https:' && !isHere)
    fail('endpoint must be an https URL, or an http URL of this machine');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    fail('endpoint must have no user, query or fragment');
  }
}

/** The canonical form: attributes in one order, only what must be percent-encoded so, `id` always. */
export function formatKeyUri(uri: KeyUri): string {
  const values = printed(uri);
  const grammar = GRAMMARS[uri.scheme];
  const join = (names: readonly string[], separator: string) =>
    names.flatMap((name) => (values[name] === undefined ? [] : `${name}=${values[name]}`)).join(separator);
  const query = join(grammar.query, '&');
  return `${uri.scheme}:${join(grammar.path, ';')}${query === '' ? '' : `?${query}`}`;
}

function printed(uri: KeyUri): Readonly<Record<string, string | undefined>> {
  switch (uri.scheme) {
    case 'awskms':
      return {
        'key-id': encoded(uri.keyId),
        region: encoded(uri.region),
        endpoint: encoded(uri.endpoint),
      };
    case 'pkcs11':
      return {
        token: encoded(uri.token),
        manufacturer: encoded(uri.manufacturer),
        model: encoded(uri.model),
        serial: encoded(uri.serial),
        'slot-id': uri.slotId?.toString(),
        object: encoded(uri.object),
        type: uri.type,
        id: uri.id && toHex(uri.id).toUpperCase().replace(/../g, '%$&'),
        'module-path': encoded(uri.modulePath),
        'pin-source': encoded(uri.pinSource && formatSecretSource(uri.pinSource)),
      };
    case 'softkey':
      return {
        path: encoded(uri.path),
        'passphrase-source': encoded(uri.passphraseSource && formatSecretSource(uri.passphraseSource)),
      };
    case 'pem':
      return { path: encoded(uri.path) };
  }
}

/** encodeURIComponent leaves only unreserved characters and !'()*; ":" "/" "@" "," "+" "=" may stand as they are. */
function encoded(value: string | undefined): string | undefined {
  return (
    value &&
    encodeURIComponent(value).replace(/%(?:3A|2F|40|2C|2B|3D)/g, (octet) => decodeURIComponent(octet))
  );
}
