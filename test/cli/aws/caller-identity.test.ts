import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { callerIdentity } from '../../../cli/aws/caller-identity.ts';
import { describeFailure } from '../../../cli/output/failure.ts';

/** STS, as its API Reference has it: who asks is told by the access key of a signed request. */
let sts: Server;
let refusals: { status: number; code: string }[];
let asked: { authorization?: string | undefined; body: string };
beforeEach(async () => {
  refusals = [];
  sts = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked = { authorization: request.headers.authorization, body: Buffer.concat(chunks).toString() };
      const refusal = refusals.shift();
      if (refusal !== undefined) {
        response
          .writeHead(refusal.status)
          .end(`<Error><Code>${refusal.code}</Code><Message>no</Message></Error>`);
        return;
      }
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

it('asks STS again that is busy, and no more than five times', async () => {
  refusals = [
    { status: 400, code: 'Throttling' },
    { status: 503, code: 'ServiceUnavailable' },
  ];
  expect(await callerIdentity()).toMatch(/anna$/);
  refusals = Array(9).fill({ status: 429, code: 'TooManyRequestsException' });
  await expect(callerIdentity()).rejects.toThrow('TooManyRequestsException');
  expect(refusals).toHaveLength(4);
});

it('tells of credentials that STS refuses, and of an STS that is not there, in words and with the way out', async () => {
  refusals = [{ status: 403, code: 'ExpiredToken' }];
  const refused = describeFailure(await callerIdentity().catch((error) => error));
  expect(refused).toMatchObject({
    exitCode: 2,
    failure: {
      code: 'configuration',
      message: 'AWS does not say whose credentials these are: ExpiredToken: no',
      hint: expect.stringContaining('Sign in to AWS again'),
    },
  });
  expect(refusals).toHaveLength(0);
  await new Promise((resolve) => {
    sts.close(resolve);
    sts.closeAllConnections();
  });
  expect(describeFailure(await callerIdentity().catch((error) => error))).toMatchObject({
    failure: {
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED/),
      hint: 'Check host and port, and that the server runs.',
    },
  });
});
