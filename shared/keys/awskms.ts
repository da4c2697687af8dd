import type { KeySpec, KeyUsageType } from '@aws-sdk/client-kms';
import type { Bytes } from '../codec/bytes.ts';
import type { Curve } from '../crypto/curves.ts';
import { canonicalSpki } from '../crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { mlDsaMu } from '../crypto/ml-dsa.ts';
import { Fault, refuse } from '../errors.ts';
import { present } from '../present.ts';
import { incomplete, KeyDirectory, type KmsKey, keyDescription, kmsUri } from './awskms/key-directory.ts';
import { type Patience, PatientCaller } from './awskms/patient-caller.ts';
import { QuotaQueue } from './awskms/quota-queue.ts';
import { DATA_KEY_LENGTH, requireDataKey } from './data-key.ts';
import { curveOfKey, readAsOwn } from './key-curve.ts';
import type {
  DataKey,
  DataKeyWrapper,
  Digest,
  IntakeDecrypter,
  KeyAlgorithm,
  KeyDescription,
  KeyGenerator,
  KeyProvider,
  KeyRole,
  Slowed,
  UseOptions,
  WrapContext,
} from './provider.ts';
import { requireRole, requireRoleFits } from './role.ts';
import { checkEndpoint } from './uri.ts';

export interface AwsKmsOptions {
  /** For URIs that name none; absent: as the SDK finds them. */
  readonly region?: string;
  readonly endpoint?: string;
  /**
   * This process's part of the account's quotas, in calls per second: ECC signing (about 1,000 for the
   * whole account) and symmetric and RSA operations. Absent: not limited here.
   */
  readonly signsPerSecond?: number;
  readonly decryptsPerSecond?: number;
  /** The part of both that jobs leave to just-in-time requests, 0 up to 1. Default 0.1. */
  readonly interactiveShare?: number;
  /** Milliseconds for which a throttled call is tried again. Default 5,000 interactive, 60,000 bulk. */
  readonly patience?: Patience;
  /** Called before each retry; must not throw. */
  readonly onSlowed?: (slowed: Slowed) => void;
}

const DEFAULT_PATIENCE: Patience = { interactive: 5_000, bulk: 60_000 };
const DEFAULT_INTERACTIVE_SHARE = 0.1;

const NEW_KEYS: Partial<
  Record<KeyAlgorithm, { readonly KeySpec: KeySpec; readonly KeyUsage: KeyUsageType }>
> = {
  'ecdsa-p256': { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  'aes-256': { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  'rsa-oaep': { KeySpec: 'RSA_3072', KeyUsage: 'ENCRYPT_DECRYPT' },
  'ml-dsa-65': { KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY' },
};

/**
 * Keys in AWS KMS.
 *
 * URIs: `awskms:key-id=ID|alias/NAME|ARN` or `awskms:alias=NAME`, each with `;region=…` and `;endpoint=…` where the
 * environment does not give them.
 *
 * - ECDSA: Sign with MessageType DIGEST over ECC_NIST_P256.
 * - ML-DSA-65: Sign with MessageType EXTERNAL_MU, so that a message of any length is 64 octets to KMS (FIPS 204 section 6.2).
 * - Wrapping: GenerateDataKey and Decrypt; the context is the encryption context. Wrapped form: CiphertextBlob.
 * - Intake: Decrypt with RSAES_OAEP_SHA_256.
 *
 * Permissions: kms:DescribeKey, and by role kms:GetPublicKey and kms:Sign; kms:GenerateDataKey and kms:Decrypt;
 * kms:GetPublicKey and kms:Decrypt. To make keys: kms:CreateKey and kms:CreateAlias; to move data keys to a new
 * wrapping key: kms:Encrypt on that one.
 */
export class AwsKmsProvider implements KeyProvider, KeyGenerator, DataKeyWrapper, IntakeDecrypter {
  readonly scheme = 'awskms';
  readonly #caller: PatientCaller;
  readonly #signs: QuotaQueue | undefined;
  readonly #decrypts: QuotaQueue | undefined;
  readonly #keys: KeyDirectory;

  constructor(options: AwsKmsOptions = {}) {
    const now = () => performance.now();
    const queueFor = (perSecond: number | undefined) =>
      perSecond === undefined
        ? undefined
        : new QuotaQueue(
            { perSecond, interactiveShare: options.interactiveShare ?? DEFAULT_INTERACTIVE_SHARE },
            now,
          );
    if (options.endpoint !== undefined) checkEndpoint(options.endpoint);
    this.#signs = queueFor(options.signsPerSecond);
    this.#decrypts = queueFor(options.decryptsPerSecond);
    this.#caller = new PatientCaller({
      patience: options.patience ?? DEFAULT_PATIENCE,
      onSlowed: options.onSlowed,
      now,
      random: Math.random,
    });
    const { region, endpoint } = options;
    this.#keys = new KeyDirectory(this.#caller, present({ region, endpoint }));
  }

  async describe(uri: string): Promise<KeyDescription> {
    const { arn, algorithm, role, metadata } = await this.#keys.find(uri);
    return {
      uri,
      algorithm,
      ...(algorithm === 'rsa-oaep' && { oaepHash: 'sha-256' }),
      ...(role && { role }),
      // KMS gives no key away, but material that was imported exists elsewhere
      exportable: metadata.Origin === 'EXTERNAL',
      identity: arn,
      attributes: {
        KeySpec: metadata.KeySpec ?? '',
        KeyUsage: metadata.KeyUsage ?? '',
        KeyState: metadata.KeyState ?? '',
        Origin: metadata.Origin ?? '',
        MultiRegion: metadata.MultiRegion === true,
      },
    };
  }

  async publicKey(uri: string): Promise<Bytes> {
    const key = await this.#keys.find(uri);
    if (key.algorithm === 'aes-256') throw unable(uri, 'has no public key');
    key.publicKey ??= this.#call('GetPublicKey', key.arn, { priority: 'interactive' }, undefined, () =>
      key.calls.getPublicKey({ KeyId: key.arn }),
    ).then(({ PublicKey }) => readAsOwn(() => canonicalSpki(PublicKey ?? incomplete('GetPublicKey'))));
    key.publicKey.catch(() => {
      delete key.publicKey;
    });
    return key.publicKey;
  }

  async sign(uri: string, digest: Digest, options: UseOptions = {}): Promise<Bytes> {
    const { calls, arn, algorithm, role } = await this.#keys.find(uri);
    if (algorithm === 'ml-dsa-65') return await this.#signMlDsa(uri, digest, options);
    if (algorithm !== 'ecdsa-p256') throw unable(uri, 'cannot sign');
    if (role !== undefined) requireRole(uri, role, 'binding', 'delivery');
    const { Signature } = await this.#call('Sign', arn, options, this.#signs, () =>
      calls.sign({
        KeyId: arn,
        Message: digest.sha256,
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    return rawSignature(curveOfKey(algorithm), Signature ?? incomplete('Sign'));
  }

  async #signMlDsa(uri: string, { message }: Digest, options: UseOptions): Promise<Bytes> {
    const { calls, arn, role } = await this.#keys.find(uri);
    if (role !== undefined) requireRole(uri, role, 'longTerm');
    const mu = mlDsaMu(await this.publicKey(uri), message);
    const { Signature } = await this.#call('Sign', arn, options, this.#signs, () =>
      calls.sign({
        KeyId: arn,
        Message: mu,
        MessageType: 'EXTERNAL_MU',
        SigningAlgorithm: 'ML_DSA_SHAKE_256',
      }),
    );
    return Signature ?? incomplete('Sign');
  }

  async generateDataKey(uri: string, context: WrapContext, options: UseOptions = {}): Promise<DataKey> {
    const { calls, arn } = await this.#wrappingKey(uri);
    const { Plaintext, CiphertextBlob } = await this.#call(
      'GenerateDataKey',
      arn,
      options,
      this.#decrypts,
      () => calls.generateDataKey({ KeyId: arn, KeySpec: 'AES_256', EncryptionContext: { ...context } }),
    );
    if (Plaintext?.length !== DATA_KEY_LENGTH || CiphertextBlob === undefined)
      return incomplete('GenerateDataKey');
    return { plaintext: Plaintext, wrapped: CiphertextBlob };
  }

  async wrapDataKey(
    uri: string,
    plaintext: Bytes,
    context: WrapContext,
    options: UseOptions = {},
  ): Promise<Bytes> {
    requireDataKey(plaintext);
    const { calls, arn } = await this.#wrappingKey(uri);
    const { CiphertextBlob } = await this.#call('Encrypt', arn, options, this.#decrypts, () =>
      calls.encrypt({ KeyId: arn, Plaintext: plaintext, EncryptionContext: { ...context } }),
    );
    return CiphertextBlob ?? incomplete('Encrypt');
  }

  async unwrapDataKey(
    uri: string,
    wrapped: Bytes,
    context: WrapContext,
    options: UseOptions = {},
  ): Promise<Bytes> {
    const { calls, arn } = await this.#wrappingKey(uri);
    if (wrapped.length === 0) throw new Fault('keyProvider', 'the wrapped data key is empty');
    const { Plaintext } = await this.#call('Decrypt', arn, options, this.#decrypts, () =>
      calls.decrypt({ KeyId: arn, CiphertextBlob: wrapped, EncryptionContext: { ...context } }),
    );
    if (Plaintext?.length !== DATA_KEY_LENGTH)
      throw new Fault('keyProvider', 'what was wrapped is not a data key');
    return Plaintext;
  }

  async decrypt(uri: string, ciphertext: Bytes): Promise<Bytes> {
    const { calls, arn, algorithm, role } = await this.#keys.find(uri);
    if (algorithm !== 'rsa-oaep') throw unable(uri, 'cannot decrypt');
    if (role !== undefined) requireRole(uri, role, 'intake');
    if (ciphertext.length === 0) refuse('protocolFormat', 'the ciphertext is empty');
    const { Plaintext } = await this.#call(
      'Decrypt',
      arn,
      { priority: 'interactive' },
      this.#decrypts,
      async () => {
        try {
          return await calls.decrypt({
            KeyId: arn,
            CiphertextBlob: ciphertext,
            EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          });
        } catch (error) {
          if ((error as Error).name === 'InvalidCiphertextException') return { Plaintext: undefined };
          throw error;
        }
      },
    );
    return Plaintext ?? refuse('protocolFormat', 'the ciphertext does not open with the intake key');
  }

  /** Makes a key and gives it the alias of the URI. */
  async generate(uri: string, algorithm: KeyAlgorithm, role: KeyRole): Promise<KeyDescription> {
    requireRoleFits(role, algorithm);
    const kind = NEW_KEYS[algorithm];
    if (kind === undefined) throw new Fault('configuration', `KMS makes no ${algorithm} keys`);
    const parsed = kmsUri(uri);
    if (!parsed.keyId.startsWith('alias/')) {
      throw new Fault('configuration', 'a new KMS key is named by an alias: awskms:alias=…');
    }
    const calls = await this.#keys.client(parsed);
    if (await this.exists(uri))
      throw new Fault('configuration', `${parsed.keyId} names a key already, which is not replaced`);
    const { KeyMetadata } = await this.#call('CreateKey', parsed.keyId, {}, undefined, () =>
      calls.createKey({ ...kind, Description: keyDescription(role) }),
    );
    const arn = KeyMetadata?.Arn ?? incomplete('CreateKey');
    await this.#call('CreateAlias', `${parsed.keyId} for the new key ${arn}`, {}, undefined, () =>
      calls.createAlias({ AliasName: parsed.keyId, TargetKeyId: arn }),
    );
    return this.describe(uri);
  }

  async exists(uri: string): Promise<boolean> {
    const parsed = kmsUri(uri);
    const calls = await this.#keys.client(parsed);
    return this.#call('DescribeKey', parsed.keyId, { priority: 'interactive' }, undefined, async () => {
      try {
        await calls.describeKey({ KeyId: parsed.keyId });
        return true;
      } catch (error) {
        if ((error as Error).name === 'NotFoundException') return false;
        throw error;
      }
    });
  }

  /** Asks KMS for the key's present state. */
  async health(uri: string): Promise<void> {
    const { calls, arn } = await this.#keys.find(uri);
    const { KeyMetadata: metadata } = await this.#call(
      'DescribeKey',
      arn,
      { priority: 'interactive' },
      undefined,
      () => calls.describeKey({ KeyId: arn }),
    );
    if (metadata?.Enabled !== true)
      throw new Fault('keyProvider', `${arn} is in state ${metadata?.KeyState}`);
  }

  async close(): Promise<void> {
    await this.#keys.close();
  }

  async #wrappingKey(uri: string): Promise<KmsKey> {
    const key = await this.#keys.find(uri);
    if (key.algorithm !== 'aes-256') throw unable(uri, 'cannot wrap');
    return key;
  }

  #call<T>(
    name: string,
    keyId: string,
    options: UseOptions,
    queue: QuotaQueue | undefined,
    attempt: () => Promise<T>,
  ): Promise<T> {
    return this.#caller.call(name, keyId, options, queue, attempt);
  }
}

/** KMS signs in DER (ANS X9.62); we sign in raw r‖s. */
function rawSignature(curve: Curve, der: Bytes): Bytes {
  try {
    return decodeEcdsaSignature(curve, der);
  } catch (cause) {
    throw new Fault('keyProvider', `the signature of KMS is not an ECDSA signature on ${curve.name}`, {
      cause,
    });
  }
}

function unable(uri: string, what: string): Fault {
  return new Fault('configuration', `the key ${uri} ${what}`);
}
