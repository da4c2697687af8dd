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
    /** Passphrase of softkeys whose URI names no source: `file:PATH` or `env:NAME`. */
    readonly passphrase?: string;
    readonly allowSoftwareKeysInProduction?: boolean;
    /** This process's part of the account's KMS quota for signing; absent: not limited here. */
    readonly signsPerSecond?: number;
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
  readonly signConcurrency?: number;
  /** Worker threads of the embedded dispatcher; 0 runs tasks in the server's own thread. */
  readonly workers?: number;
  /** Where long work runs: `threads` (this process, the default), `stepfunctions:ARN`, or `none:`. */
  readonly dispatcher?: string;
  /** Who carries callbacks: `ledger` (this process, the default), `sqs:URL`, or `none:`. */
  readonly notifier?: string;
  /** PEM of a CA that is trusted for the Operator's callback servers besides the public ones. */
  readonly callbackCa?: string;
}
