import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';

/**
 * The part of AWS KMS that no emulator has, answered over HTTP in the shape of the AWS KMS API Reference: the
 * metadata of ML-DSA keys and of keys that agree, and signatures of ML-DSA-65 over μ. It refuses requests that KMS would refuse, by the same names.
 */
export interface PublishedKms {
  readonly url: string;
  /** Requests by operation, as they came in. */
  readonly requests: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[];
  close(): Promise<void>;
}

const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';

interface Key {
  readonly metadata: Record<string, unknown>;
  /** ML-DSA-65. */
  readonly pair?: ReturnType<typeof ml_dsa65.keygen>;
}

/** SubjectPublicKeyInfo of id-ml-dsa-65 (RFC 9881) before the public key. */
const SPKI_PREFIX = Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex');

class KmsError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

const ALGORITHMS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  SIGN_VERIFY: { SigningAlgorithms: ['ML_DSA_SHAKE_256'] },
  KEY_AGREEMENT: { KeyAgreementAlgorithms: ['ECDH'] },
};

export async function publishedKms(): Promise<PublishedKms> {
  const keys = new Map<string, Key>();
  const aliases = new Map<string, string>();
  const requests: { operation: string; input: Record<string, unknown> }[] = [];

  const keyOf = (keyId: unknown): Key => {
    const id = aliases.get(String(keyId)) ?? String(keyId).replace(/^arn:.*:key\//, '');
    const key = keys.get(id);
    if (key === undefined) throw new KmsError('NotFoundException', `Key '${id}' does not exist`);
    return key;
  };
  const operations: Readonly<Record<string, (input: Record<string, unknown>) => Record<string, unknown>>> = {
    CreateKey({ KeySpec, KeyUsage, Description = '' }) {
      const fits = KeyUsage === 'KEY_AGREEMENT' ? KeySpec === 'ECC_NIST_P256' : /^ML_DSA_/.test(`${KeySpec}`);
      if (!fits) throw new KmsError('ValidationException', `KeyUsage ${KeyUsage} is not for ${KeySpec}`);
      const KeyId = createHash('sha256').update(`key ${keys.size}`).digest('hex').slice(0, 32);
      const metadata = {
        AWSAccountId: ACCOUNT,
        Arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId}`,
        CreationDate: 1_764_000_000.123,
        CustomerMasterKeySpec: KeySpec,
        Description,
        Enabled: true,
        KeyId,
        KeyManager: 'CUSTOMER',
        KeySpec,
        KeyState: 'Enabled',
        KeyUsage,
        MultiRegion: false,
        Origin: 'AWS_KMS',
        ...ALGORITHMS[`${KeyUsage}`],
      };
      keys.set(KeyId, { metadata, ...(KeySpec === 'ML_DSA_65' && { pair: ml_dsa65.keygen() }) });
      return { KeyMetadata: metadata };
    },
    CreateAlias({ AliasName, TargetKeyId }) {
      aliases.set(`${AliasName}`, `${keyOf(TargetKeyId).metadata.KeyId}`);
      return {};
    },
    DescribeKey: ({ KeyId }) => ({ KeyMetadata: keyOf(KeyId).metadata }),
    GetPublicKey({ KeyId }) {
      const { metadata, pair } = keyOf(KeyId);
      const PublicKey = pair && Buffer.concat([SPKI_PREFIX, pair.publicKey]).toString('base64');
      return { KeyId: metadata.Arn, ...metadata, ...(PublicKey !== undefined && { PublicKey }) };
    },
    Sign({ KeyId, Message, MessageType, SigningAlgorithm }) {
      const { metadata, pair } = keyOf(KeyId);
      if (pair === undefined || SigningAlgorithm !== 'ML_DSA_SHAKE_256')
        throw new KmsError(
          'InvalidKeyUsageException',
          `${metadata.KeySpec} does not sign ${SigningAlgorithm}`,
        );
      const mu = Buffer.from(String(Message), 'base64');
      if (MessageType !== 'EXTERNAL_MU' || mu.length !== 64)
        throw new KmsError('ValidationException', 'EXTERNAL_MU is 64 octets');
      const signature = ml_dsa65.internal.sign(mu, pair.secretKey, { externalMu: true });
      return { KeyId: metadata.Arn, SigningAlgorithm, Signature: Buffer.from(signature).toString('base64') };
    },
  };

  const server = createServer(async (request, response) => {
    const operation = `${request.headers['x-amz-target']}`.replace('TrentService.', '');
    const input = (await json(request)) as Record<string, unknown>;
    requests.push({ operation, input });
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    };
    try {
      const run = operations[operation];
      if (run === undefined) throw new KmsError('UnknownOperationException', operation);
      answer(200, run(input));
    } catch (error) {
      const { name, message } = error as Error;
      answer(400, { __type: name, message });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
