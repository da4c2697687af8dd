import { repeatedMember } from './codec/json-names.ts';
import { Fault } from './errors.ts';
import { nearest } from './service/records/nearest.ts';
import {
  demand,
  flag,
  isObject,
  list,
  type Members,
  type Mismatch,
  number,
  type ObjectSchema,
  object,
  optional,
  type TypeOf,
  text,
  whole,
} from './service/records/schema.ts';

/** The version of configuration that this release reads. A configuration that names none is of this one. */
export const CONFIGURATION_VERSION = 1;

/** For pkcs11 URIs: see shared/keys/pkcs11.ts. */
const pkcs11 = object({
  modulePath: optional(text),
  /** `file:PATH` or `env:NAME`. */
  pinSource: optional(text),
  sessions: optional(whole),
});

/** For awskms URIs: see shared/keys/awskms.ts. Rates are of one process; each worker thread counts as one. */
const awskms = object({
  region: optional(text),
  endpoint: optional(text),
  signsPerSecond: optional(number),
  decryptsPerSecond: optional(number),
  /** Part of the rates that jobs leave to just-in-time requests, 0 up to 1. */
  interactiveShare: optional(number),
  /** Milliseconds for which a throttled call is tried again. */
  patience: optional(object({ interactive: number, bulk: number })),
});

const keys = object({
  wrapping: text,
  delivery: text,
  /** RSA key to which Operators encrypt rows of personalisation data. */
  intake: optional(text),
  /** ML-DSA-65 key that signs beside the delivery key what must hold for years. */
  longTerm: optional(text),
  /** Absolute path that paths in key URIs lead from; the working folder unless given. */
  folder: optional(text),
  /** Passphrase of softkeys whose URI names no source: `file:PATH` or `env:NAME`. */
  passphrase: optional(text),
  allowSoftwareKeysInProduction: optional(flag),
  pkcs11: optional(pkcs11),
  awskms: optional(awskms),
  /** Opened data keys kept in memory at most, per process, and for how many seconds. Default 64 and 60. */
  dataKeyCount: optional(whole),
  dataKeySeconds: optional(number),
});

const runtimeMembers = {
  /** Names this deployment for ever; job and transaction IDs follow from it. */
  deployment: text,
  /** FQDN of this SM-DPf, the notificationAddress of its profiles. */
  address: text,
  /** `sqlite:FILE` or `dynamodb:TABLE`. */
  ledger: text,
  /** `file:DIR` or `s3://BUCKET`. */
  vault: text,
  /** The PPK vault, a store of its own: `file:DIR` or `dynamodb:TABLE`. */
  ppks: text,
  keys,
  /** Where transfer links of a file vault lead: `https://host:port`. */
  publicUrl: optional(text),
  /** Hexadecimal, 32 octets and more: signs transfer links of a file vault. */
  transferSecret: optional(text),
  /** hostId of the key agreement, hexadecimal, 1 to 16 octets. */
  hostId: optional(text),
  /** Suites of one-time keys that are proposals of this project and taken nevertheless: `p256-mlkem768`. */
  draftSuites: optional(list(text)),
  chunkSize: optional(whole),
  packSize: optional(whole),
  inlineLimit: optional(whole),
  inlineOrder: optional(whole),
  /** Rows of a large order that one task checks; 4,000 unless given, and 10,000 at most. */
  rowSlice: optional(whole),
  /** Items of a large request that are planned at once; 8,000 unless given, and at most. */
  requestSlice: optional(whole),
  inlineReport: optional(whole),
  /** Chunks of a job whose parts one manifest names, and chunks of a page where they are more; 64 and 64 unless given. */
  manifest: optional(object({ whole, page: whole })),
  /** Uploads that a party may have at once, from the grant until they are used or a day old; 64 and 8 GiB unless given. */
  uploads: optional(object({ count: whole, octets: whole })),
  signConcurrency: optional(whole),
  /** Worker threads of the embedded dispatcher; 0 runs tasks in the server's own thread. */
  workers: optional(whole),
  /** Where long work runs: `threads` (this process, the default), `stepfunctions:ARN`, or `none:`. */
  dispatcher: optional(text),
  /** Who carries callbacks: `ledger` (this process, the default), `sqs:URL`, or `none:`. */
  notifier: optional(text),
  /** PEM of a CA that is trusted for the Operator's callback servers besides the public ones. */
  callbackCa: optional(text),
  /**
   * Host names, addresses and networks (`10.1.0.0/16`) inside this network to which callbacks and fetches of revocation
   * lists may lead; none unless given. Whatever is public may be called.
   */
  internalDestinations: optional(list(text)),
  /**
   * Where ends of the audit log are kept outside this deployment, by somebody else: `file:DIR` (a share) or `s3://BUCKET`.
   * Without it nothing shows that all stores were put back to one earlier moment.
   */
  auditAnchor: optional(text),
  /**
   * A clock that is not this machine's: `sntp:HOST` or `sntp:HOST:PORT`. The server compares its own with it, and alarms.
   */
  timeSource: optional(text),
  /** Calls that each party may make, counted over all processes; 50 a second and 200 at once unless given. */
  rateLimit: optional(object({ perSecond: number, burst: number })),
} as const;

export type Pkcs11Settings = TypeOf<typeof pkcs11>;
export type AwsKmsSettings = TypeOf<typeof awskms>;

/** How a deployment is put together: plain data, so that it can be written to a file and handed to worker threads. */
export type RuntimeConfig = Members<typeof runtimeMembers>;

/** For configurations that have one within. */
export const runtimeConfig = object(runtimeMembers);

/**
 * A configuration of this shape, or a Fault in words for the person who wrote it: `name` names the file or variable.
 * Values are never quoted: a transfer secret may be among them.
 */
export function decodeConfiguration<T>(schema: ObjectSchema<T>, value: unknown, name: string): T {
  const fail = (mismatch: Mismatch): never => {
    throw new Fault('configuration', `${name}: ${inWords(mismatch)}`);
  };
  if (!isObject(value)) throw new Fault('configuration', `${name} is not a JSON object`);
  const { version = CONFIGURATION_VERSION, ...members } = value;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw new Fault('configuration', `${name}: the member \`version\` is not a version such as 1`);
  if (version > CONFIGURATION_VERSION)
    throw new Fault(
      'configuration',
      `${name} is of version ${version}, written for a newer release; this one reads version ${CONFIGURATION_VERSION}: run the newer release`,
    );
  const configuration: unknown = members;
  demand(schema, configuration, fail);
  return configuration;
}

/** The same from JSON text. */
export function parseConfiguration<T>(schema: ObjectSchema<T>, json: string, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // the SyntaxError would quote the configuration
    throw new Fault('configuration', `${name} is not JSON`);
  }
  const twice = repeatedMember(json);
  if (twice !== undefined)
    throw new Fault('configuration', `${name} has ${twice.name} twice in one object (line ${twice.line})`);
  return decodeConfiguration(schema, value, name);
}

export const parseRuntimeConfig = (json: string, name: string): RuntimeConfig =>
  parseConfiguration(runtimeConfig, json, name);

function inWords({ path, kind, detail, known = [] }: Mismatch): string {
  if (kind === 'missing') return `the member \`${path}\` is missing`;
  if (kind === 'wrong') return `there is ${detail} in the member \`${path}\``;
  const at = path.lastIndexOf('.') + 1;
  const meant = nearest(path.slice(at), known);
  const way =
    meant === undefined ? `known are ${known.join(', ')}` : `did you mean \`${path.slice(0, at)}${meant}\`?`;
  return `unknown member \`${path}\`; ${way}`;
}
