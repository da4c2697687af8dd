import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface FaultProxy {
  readonly url: string;
  /** Requests that came in, by operation: `Sign`, `Decrypt` and so on. */
  readonly seen: ReadonlyMap<string, number>;
  /** Requests that were passed on. */
  readonly passed: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** What to answer in place of KMS: the name of an error, `cut` for a broken connection, or nothing to pass on. */
export type FaultPlan = (operation: string, count: number) => string | undefined;

/** Stands between the SDK and an emulator of KMS, and answers some requests with errors of KMS. */
export async function faultProxy(upstream: string, plan: FaultPlan): Promise<FaultProxy> {
  const seen = new Map<string, number>();
  const passed = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const operation = `${request.headers['x-amz-target']}`.split('.')[1] ?? '';
    const body = await buffer(request);
    const count = (seen.get(operation) ?? 0) + 1;
    seen.set(operation, count);
    const fault = plan(operation, count);
    if (fault === 'cut') {
      request.socket.destroy();
    } else if (fault !== undefined) {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: fault, message: 'by the fault proxy' }));
    } else {
      passed.set(operation, (passed.get(operation) ?? 0) + 1);
      const answer = await fetch(upstream, { method: 'POST', headers: forwarded(request), body });
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    passed,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function forwarded({ headers }: IncomingMessage): Record<string, string> {
  const names = ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'];
  return Object.fromEntries(names.map((name) => [name, `${headers[name]}`]));
}
