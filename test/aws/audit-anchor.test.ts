import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openRuntime } from '../../shared/runtime.ts';
import { EvidenceRounds } from '../../shared/service/evidence/rounds.ts';
import { SandboxFolder } from '../cli/support/sandbox-folder.ts';
import { awsClientConfig, awsSkipReason, createStores } from '../support/aws.ts';

describe.skipIf(awsSkipReason !== '')(
  `ends of the audit log in a bucket of somebody else${awsSkipReason}`,
  {
    tags: ['DPFS01', 'I8'],
  },
  () => {
    let sandbox: SandboxFolder;
    beforeAll(async () => {
      vi.stubEnv('AWS_ENDPOINT_URL', String(process.env.SMDPF_TEST_AWS_ENDPOINT));
      vi.stubEnv('AWS_REGION', awsClientConfig.region);
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
      sandbox = await SandboxFolder.create();
      const { bucket } = await createStores();
      const file = join(sandbox.folder, 'config.json');
      const config = JSON.parse(readFileSync(file, 'utf8')) as { runtime: object };
      config.runtime = { ...config.runtime, auditAnchor: `s3://${bucket}` };
      writeFileSync(file, JSON.stringify(config));
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await sandbox?.remove();
    });

    it('show that all stores were put back together, where the round of the Lambda has kept one', async () => {
      const backup = sandbox.path('before');
      cpSync(sandbox.folder, backup, { recursive: true });
      await sandbox.run('party', 'add', '2.999.70', '--role', 'auditor', '--issue');
      await sandbox.withRuntime(async ({ config }) => {
        const runtime = await openRuntime(config, { lanes: 'none' });
        await runtime.audit.chain();
        const told: object[] = [];
        const rounds = new EvidenceRounds(runtime.evidence, (line) => told.push(line), runtime.context.now);
        await rounds.round(await runtime.audit.head());
        expect(told).toEqual([]);
        await runtime.close();
      });
      const verify = async () => (await sandbox.run('audit', 'verify')).json<{ holds: boolean }>();
      expect(await verify()).toMatchObject({ holds: true });
      rmSync(sandbox.folder, { recursive: true });
      cpSync(backup, sandbox.folder, { recursive: true });
      expect(await verify()).toMatchObject({
        holds: false,
        problems: [{ problem: expect.stringMatching(/cut off: the statement audit-heads\//) }],
      });
    });
  },
);
