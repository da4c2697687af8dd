import { CreateKeyCommand, GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { elementOf, SignedCalls } from '../../cli/aws/signed-calls.ts';
import type { ErrorDocument } from '../cli/support/cli.ts';
import { SandboxFolder } from '../cli/support/sandbox-folder.ts';
import { awsClientConfig, awsSkipReason } from '../support/aws.ts';

type Name = 'anna' | 'ben';
const NAMES = ['anna', 'ben'] as const;
const KEY = 'softkey:path=keys/delivery.key';

/** Roles, sessions and signing keys of an emulator; that a key signs for one role alone is held by test/lib/administrator-keys.test.ts. */
describe.skipIf(awsSkipReason !== '')(
  `dual control by two roles of AWS${awsSkipReason}`,
  {
    tags: ['DUAL-CONTROL'],
  },
  () => {
    let sandbox: SandboxFolder;
    const keys = new Map<Name, string>();
    const roles = new Map<Name, string>();

    const credentials = (id: string, secret: string, token: string) => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', id);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
      vi.stubEnv('AWS_SESSION_TOKEN', token);
    };
    const asWhoDeploys = () => credentials('test', 'test', '');
    async function query(
      service: string,
      version: string,
      action: string,
      parameters: Record<string, string>,
    ) {
      const calls = new SignedCalls(awsClientConfig.region);
      try {
        return await calls.query(service, version, action, parameters);
      } finally {
        calls.close();
      }
    }

    /** A command in a session of the role of `role`, called `called`, under the key of `key`. */
    async function act(key: Name, role: Name, called: string, ...args: string[]) {
      asWhoDeploys();
      const session = { RoleArn: roles.get(role)!, RoleSessionName: called };
      const answer = await query('sts', '2011-06-15', 'AssumeRole', session);
      const of = (name: string) => elementOf(answer, name)!;
      credentials(of('AccessKeyId'), of('SecretAccessKey'), of('SessionToken'));
      vi.stubEnv('SMDPF_IDENTITY', keys.get(key)!);
      return await sandbox.run(...args);
    }

    beforeAll(async () => {
      vi.stubEnv('AWS_ENDPOINT_URL', String(process.env.SMDPF_TEST_AWS_ENDPOINT));
      vi.stubEnv('AWS_REGION', awsClientConfig.region);
      asWhoDeploys();
      sandbox = await SandboxFolder.create();
      await sandbox.run('keys', 'rotate', '--role', 'delivery', '--key', 'softkey:path=keys/delivery-2.key');
      const kms = new KMSClient(awsClientConfig);
      for (const name of NAMES) {
        const trusted = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' };
        const role = await query('iam', '2010-05-08', 'CreateRole', {
          RoleName: `smdpf-${name}-${process.pid}`,
          AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trusted] }),
        });
        roles.set(name, elementOf(role, 'Arn')!);
        const { KeyMetadata } = await kms.send(
          new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
        );
        keys.set(name, `awskms:key-id=${KeyMetadata!.Arn}`);
        const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: KeyMetadata!.KeyId! }));
        const file = await sandbox.file(`${name}.der`, PublicKey!);
        const more = ['--public-key', file, '--aws-role', roles.get(name)!];
        expect((await sandbox.run('administrator', 'add', name, ...more)).code).toBe(0);
      }
      kms.destroy();
      await sandbox.run('approvals', 'policy', '--guard', 'key.retire');
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await sandbox?.remove();
    });

    it('takes two roles: not two sessions of one, nor the key of another in a session of one’s own', async () => {
      const asked = (await act('anna', 'anna', 'anna', 'keys', 'retire', '--key', KEY)).json<ErrorDocument>();
      const request = asked.error.subjectIdentifier!;
      const approve = ['approvals', 'approve', request];
      const again = (await act('anna', 'anna', 'ben', ...approve)).json<ErrorDocument>();
      expect(again.error.message).toContain('anna asked for this');
      const borrowed = (await act('ben', 'anna', 'ben', ...approve)).json<ErrorDocument>();
      expect(borrowed.error.message).toContain(`ben acts as ${roles.get('ben')}`);
      expect((await act('ben', 'ben', 'ben', ...approve)).code).toBe(0);
      expect((await act('anna', 'anna', 'anna', 'keys', 'retire', '--key', KEY)).code).toBe(0);
      const shown = await act('anna', 'anna', 'anna', 'audit', 'show', '--event', 'key.delivery.retired');
      expect(shown.json<{ lines: object[] }>().lines).toMatchObject([
        { who: { person: 'anna', knownBy: 'awsRole', approvedBy: 'ben' } },
      ]);
    });
  },
);
