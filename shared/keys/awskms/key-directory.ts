import type { KeyMetadata } from '@aws-sdk/client-kms';
import type { Bytes } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import { present } from '../../present.ts';
import type { KeyAlgorithm, KeyRole } from '../provider.ts';
import { type AwsKmsUri, parseKeyUri } from '../uri.ts';
import { connectKms, type KmsCalls } from './calls.ts';
import type { PatientCaller } from './patient-caller.ts';

export interface KmsKey {
  readonly calls: KmsCalls;
  /** Aliases are resolved once: an alias that is moved later does not change the key under a certificate. */
  readonly arn: string;
  readonly algorithm: KeyAlgorithm;
  readonly role: KeyRole | undefined;
  readonly metadata: KeyMetadata;
  publicKey?: Promise<Bytes>;
}

/** What the spec and usage of a key make it here. KMS has no brainpool and no FRP256V1. */
const ALGORITHMS: Readonly<Record<string, KeyAlgorithm>> = {
  'ECC_NIST_P256 SIGN_VERIFY': 'ecdsa-p256',
  'SYMMETRIC_DEFAULT ENCRYPT_DECRYPT': 'aes-256',
  'RSA_2048 ENCRYPT_DECRYPT': 'rsa-oaep',
  'RSA_3072 ENCRYPT_DECRYPT': 'rsa-oaep',
  'RSA_4096 ENCRYPT_DECRYPT': 'rsa-oaep',
  'ML_DSA_44 SIGN_VERIFY': 'ml-dsa-44',
  'ML_DSA_65 SIGN_VERIFY': 'ml-dsa-65',
  'ML_DSA_87 SIGN_VERIFY': 'ml-dsa-87',
};

/** Keys made here carry their role in the description, as a guard against mistakes; the key policy is the lock. */
const DESCRIPTION = /^SM-DPf key for (binding|delivery|wrapping|intake|longTerm)$/;

export const keyDescription = (role: KeyRole) => `SM-DPf key for ${role}`;

/** Which KMS key each URI names, asked for once, and the clients that reach them. */
export class KeyDirectory {
  readonly #caller: PatientCaller;
  readonly #target: { readonly region?: string; readonly endpoint?: string };
  readonly #clients = new Map<string, Promise<KmsCalls>>();
  readonly #keys = new Map<string, Promise<KmsKey>>();

  /** `target` is for URIs that name no region or endpoint. */
  constructor(caller: PatientCaller, target: { readonly region?: string; readonly endpoint?: string }) {
    this.#caller = caller;
    this.#target = target;
  }

  find(uri: string): Promise<KmsKey> {
    const known = this.#keys.get(uri);
    if (known !== undefined) return known;
    const resolving = this.#resolve(uri);
    this.#keys.set(uri, resolving);
    resolving.catch(() => this.#keys.delete(uri));
    return resolving;
  }

  async #resolve(uri: string): Promise<KmsKey> {
    const parsed = kmsUri(uri);
    const calls = await this.client(parsed);
    const { KeyMetadata: metadata } = await this.#caller.call(
      'DescribeKey',
      parsed.keyId,
      { priority: 'interactive' },
      undefined,
      () => calls.describeKey({ KeyId: parsed.keyId }),
    );
    if (metadata?.Arn === undefined) return incomplete('DescribeKey');
    const algorithm = ALGORITHMS[`${metadata.KeySpec} ${metadata.KeyUsage}`];
    if (algorithm === undefined) {
      throw new Fault(
        'configuration',
        `${metadata.Arn} is ${metadata.KeySpec} for ${metadata.KeyUsage}, which has no use here`,
      );
    }
    const role = DESCRIPTION.exec(metadata.Description ?? '')?.[1] as KeyRole | undefined;
    return { calls, arn: metadata.Arn, algorithm, role, metadata };
  }

  /** The client for the region and endpoint that a URI names, or that the options give. */
  client({ keyId, region, endpoint }: AwsKmsUri): Promise<KmsCalls> {
    const target = {
      region: region ?? /^arn:[^:]*:kms:([^:]+):/.exec(keyId)?.[1] ?? this.#target.region,
      endpoint: endpoint ?? this.#target.endpoint,
    };
    const name = `${target.region} ${target.endpoint}`;
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const connecting = connectKms(present(target));
    this.#clients.set(name, connecting);
    return connecting;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) (await client).destroy();
    this.#clients.clear();
    this.#keys.clear();
  }
}

export function kmsUri(uri: string): AwsKmsUri {
  const parsed = parseKeyUri(uri);
  if (parsed.scheme !== 'awskms') throw new Fault('configuration', `a ${parsed.scheme} URI is no KMS key`);
  return parsed;
}

export function incomplete(call: string): never {
  throw new Fault('keyProvider', `the answer of KMS to ${call} lacks what was asked for`);
}
