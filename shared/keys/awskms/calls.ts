import type {
  CreateAliasCommandInput,
  CreateKeyCommandInput,
  CreateKeyCommandOutput,
  DecryptCommandInput,
  DecryptCommandOutput,
  DescribeKeyCommandInput,
  DescribeKeyCommandOutput,
  EncryptCommandInput,
  EncryptCommandOutput,
  GenerateDataKeyCommandInput,
  GenerateDataKeyCommandOutput,
  GetPublicKeyCommandInput,
  GetPublicKeyCommandOutput,
  SignCommandInput,
  SignCommandOutput,
} from '@aws-sdk/client-kms';

/** The calls of AWS KMS that we need; the last two only to make keys. Each is one attempt. */
export interface KmsCalls {
  describeKey(input: DescribeKeyCommandInput): Promise<DescribeKeyCommandOutput>;
  getPublicKey(input: GetPublicKeyCommandInput): Promise<GetPublicKeyCommandOutput>;
  sign(input: SignCommandInput): Promise<SignCommandOutput>;
  encrypt(input: EncryptCommandInput): Promise<EncryptCommandOutput>;
  generateDataKey(input: GenerateDataKeyCommandInput): Promise<GenerateDataKeyCommandOutput>;
  decrypt(input: DecryptCommandInput): Promise<DecryptCommandOutput>;
  createKey(input: CreateKeyCommandInput): Promise<CreateKeyCommandOutput>;
  createAlias(input: CreateAliasCommandInput): Promise<unknown>;
  destroy(): void;
}

export interface KmsTarget {
  /** Absent: as the SDK finds them (AWS_REGION, AWS_ENDPOINT_URL, profiles). */
  readonly region?: string;
  readonly endpoint?: string;
}

/** Milliseconds. An answer of KMS usually takes 5 to 20. */
const CONNECTION_TIMEOUT = 3_000;
const REQUEST_TIMEOUT = 10_000;
const MAX_SOCKETS = 128;

/** Loads the SDK at the first key; credentials are found by its default chain. */
export async function connectKms(target: KmsTarget): Promise<KmsCalls> {
  const sdk = await import('@aws-sdk/client-kms');
  const client = new sdk.KMSClient({
    ...target,
    // retrying is ours, so that it obeys the rate limit and says that it happened
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
  });
  return {
    describeKey: (input) => client.send(new sdk.DescribeKeyCommand(input)),
    getPublicKey: (input) => client.send(new sdk.GetPublicKeyCommand(input)),
    sign: (input) => client.send(new sdk.SignCommand(input)),
    encrypt: (input) => client.send(new sdk.EncryptCommand(input)),
    generateDataKey: (input) => client.send(new sdk.GenerateDataKeyCommand(input)),
    decrypt: (input) => client.send(new sdk.DecryptCommand(input)),
    createKey: (input) => client.send(new sdk.CreateKeyCommand(input)),
    createAlias: (input) => client.send(new sdk.CreateAliasCommand(input)),
    destroy: () => client.destroy(),
  };
}
