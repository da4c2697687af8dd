import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { awsClient } from '../../../shared/aws/client-config.ts';
import { AwsKmsProvider } from '../../../shared/keys/awskms.ts';
import { Digest } from '../../../shared/keys/provider.ts';
import { bad, type Check, good } from './check.ts';

/** Every alias names its key, and the key may be used. */
export const aliases: Check = {
  name: 'aliases of keys',
  wayOut: 'Call with credentials of administratorRoleArn, and attach the output AdministratorPolicy to it.',
  async look({ stack }) {
    const client = new KMSClient({ ...awsClient(), region: stack.region });
    try {
      const wrong: string[] = [];
      for (const [alias, arn] of Object.entries(stack.description.aliases)) {
        // by its ARN: looking a key up by an alias wants the same right
        const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: alias }));
        if (KeyMetadata?.Arn !== arn) wrong.push(`${alias} names another key`);
        else if (KeyMetadata.KeyState !== 'Enabled')
          wrong.push(`the key of ${alias} is ${KeyMetadata.KeyState}`);
      }
      return wrong.length === 0
        ? good(
            `${Object.keys(stack.description.aliases).length} aliases name the stack's keys, which are enabled`,
          )
        : bad(
            wrong.join('; '),
            'aws kms enable-key or cancel-key-deletion; deploy again for an alias (docs/runbook.md#guards).',
          );
    } finally {
      client.destroy();
    }
  },
};

/** A signature by each signing key that who administers may use, verified with its public key. */
export const signing: Check = {
  name: 'use of signing keys',
  wayOut:
    'Call with credentials of administratorRoleArn: the keys let that role and the functions sign, and nobody else.',
  async look({ stack: { runtime, bindingKeys, region } }) {
    const provider = new AwsKmsProvider({ region });
    try {
      const uris = [runtime.keys.delivery, ...bindingKeys];
      for (const uri of uris) {
        const message = randomBytes(32);
        const key = createPublicKey({
          key: Buffer.from(await provider.publicKey(uri)),
          format: 'der',
          type: 'spki',
        });
        const signature = await provider.sign(uri, Digest.of(message));
        if (!verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature))
          return bad(
            `a signature of ${uri} does not hold`,
            'Do not bind with it; report it to the key service.',
          );
      }
      return good(`${uris.length} keys sign, and their signatures hold`);
    } finally {
      await provider.close();
    }
  },
};
