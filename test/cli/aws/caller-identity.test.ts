import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { callerIdentity } from '../../../cli/aws/caller-identity.ts';

/** STS, as its API Reference has it: who asks is told by the access key of a signed request. */
let sts: Server;
let asked: { authorization?: string | undefined; body: string };
beforeEach(async () => {
  sts = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked = { authorization: request.headers.authorization, body: Buffer.concat(chunks).toString() };
      const arn = 'arn:aws:sts::111111111111:assumed-role/smdpf-anna/anna';
      response.end(`<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn>
        <UserId>AROA:anna</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>`);
    });
  });
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(sts.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => {
  vi.unstubAllEnvs();
  sts.close();
});

it('asks STS, by a signed request, whose credentials these are', { tags: ['DUAL-CONTROL'] }, async () => {
  expect(await callerIdentity()).toBe('arn:aws:sts::111111111111:assumed-role/smdpf-anna/anna');
  expect(asked.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/sts\/aws4_request, SignedHeaders=/,
  );
  expect(asked.body).toBe('Action=GetCallerIdentity&Version=2011-06-15');
});
