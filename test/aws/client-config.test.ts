import { createServer, type Server, type Socket } from 'node:net';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { awsClient } from '../../shared/aws/client-config.ts';
import { sourceTree } from '../architecture/source-tree.ts';

/** Takes connections and never says a word. */
let silent: Server;
const sockets = new Set<Socket>();
beforeAll(async () => {
  silent = createServer((socket) => sockets.add(socket));
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

it('a client of AWS gives up a call that is not answered, and tries again', async () => {
  const { port } = silent.address() as { port: number };
  const client = new SQSClient({
    ...awsClient({ requestTimeout: 50, maxAttempts: 2 }),
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'SMDPFTEST', secretAccessKey: 'none' },
  });
  await expect(client.send(new GetQueueUrlCommand({ QueueName: 'q' }))).rejects.toMatchObject({
    name: 'TimeoutError',
    message: expect.stringMatching(/50 ms requestTimeout/),
    $metadata: { attempts: 2 },
  });
  client.destroy();
});

it('a client of AWS waits without end for nothing: a connection, the answer, the rest of it', () => {
  const { requestHandler } = awsClient();
  for (const timeout of ['connectionTimeout', 'requestTimeout', 'socketTimeout'] as const) {
    expect(requestHandler[timeout], timeout).toBeGreaterThan(0);
    expect(requestHandler[timeout], timeout).toBeLessThanOrEqual(30_000);
  }
});

it('every client of AWS is made with the timeouts of all', () => {
  // KMS has timeouts of its own, and retries that obey a rate (shared/keys/awskms/calls.ts)
  const made = sourceTree('shared', 'cli', 'lambdas').flatMap(({ path, text }) =>
    [...text.matchAll(/new (?:S3|SQS|SFN|DynamoDB|KMS)Client\(\s*(.{0,40})/gs)]
      .filter(() => path !== 'shared/keys/awskms/calls.ts')
      .map(([, how]) => ({ path, how })),
  );
  expect(made.length).toBeGreaterThan(5);
  const without = made.filter(({ how = '' }) => !/^(\{\s*\.\.\.)?awsClient\(/.test(how));
  expect(without).toEqual([]);
});
