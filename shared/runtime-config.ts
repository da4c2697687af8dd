/** For pkcs11 URIs: see shared/keys/pkcs11.ts. */
export interface Pkcs11Settings {
  readonly modulePath?: string;
  /** `file:PATH` or `env:NAME`. */
  readonly pinSource?: string;
  readonly sessions?: number;
}

/** For awskms URIs: see shared/keys/awskms.ts. Rates are of one process; each worker thread counts as one. */
export interface AwsKmsSettings {
  readonly region?: string;
  readonly endpoint?: string;
  readonly signsPerSecond?: number;
  readonly decryptsPerSecond?: number;
  /** Part of the rates that jobs leave to just-in-time requests, 0 up to 1. */
  readonly interactiveShare?: number;
  /** Milliseconds for which a throttled call is tried again. */
  readonly patience?: { readonly interactive: number; readonly bulk: number };
}

/** How a deployment is put together: plain data, so that it can be written to a file and handed to worker threads. */
export interface RuntimeConfig {
  /** Names this deployment for ever; job and transaction IDs follow from it. */
  readonly deployment: string;
  /** FQDN of this SM-DPf, the notificationAddress of its profiles. */
  readonly address: string;
  /** `sqlite:FILE` or `dynamodb:TABLE`. */
  readonly ledger: string;
  /** `file:DIR` or `s3://BUCKET`. */
  readonly vault: string;
  /** The PPK vault, a store of its own: `file:DIR` or `dynamodb:TABLE`. */
  readonly ppks: string;
  readonly keys: {
    readonly wrapping: string;
    readonly delivery: string;
    /** RSA key to which Operators encrypt rows of personalisation data. */
    readonly intake?: string;
    /** Passphrase of softkeys whose URI names no source: `file:PATH` or `env:NAME`. */
    readonly passphrase?: string;
    readonly allowSoftwareKeysInProduction?: boolean;
    readonly pkcs11?: Pkcs11Settings;
    readonly awskms?: AwsKmsSettings;
    /** Opened data keys kept in memory at most, per process, and for how many seconds. Default 64 and 60. */
    readonly dataKeyCount?: number;
    readonly dataKeySeconds?: number;
  };
  /** Where transfer links of a file vault lead: `https://host:port`. */
  readonly publicUrl?: string;
  /** Hexadecimal, 32 octets and more: signs transfer links of a file vault. */
  readonly transferSecret?: string;
  /** hostId of the key agreement, hexadecimal, 1 to 16 octets. */
  readonly hostId?: string;
  readonly chunkSize?: number;
  readonly packSize?: number;
  readonly inlineLimit?: number;
  readonly inlineOrder?: number;
  readonly inlineReport?: number;
  readonly signConcurrency?: number;
  /** Worker threads of the embedded dispatcher; 0 runs tasks in the server's own thread. */
  readonly workers?: number;
  /** Where long work runs: `threads` (this process, the default), `stepfunctions:ARN`, or `none:`. */
  readonly dispatcher?: string;
  /** Who carries callbacks: `ledger` (this process, the default), `sqs:URL`, or `none:`. */
  readonly notifier?: string;
  /** PEM of a CA that is trusted for the Operator's callback servers besides the public ones. */
  readonly callbackCa?: string;
  /** Calls that each party may make, counted over all processes; 50 a second and 200 at once unless given. */
  readonly rateLimit?: { readonly perSecond: number; readonly burst: number };
}
