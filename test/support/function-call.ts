import { type Event, type FunctionHandler, functionHandler, type Result } from '../../lambdas/api-gateway.ts';
import { type FunctionPath, functionAt } from '../../shared/gsma/functions/index.ts';
import type { CallOptions } from '../../shared/gsma/record-call.ts';
import { PROTOCOL_VERSION } from '../../shared/ifpp-draft1/version.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { SelfSigned } from './self-signed.ts';

export interface TestCall {
  readonly certificate?: SelfSigned;
  readonly body?: unknown;
  readonly raw?: Uint8Array | string;
  readonly headers?: Record<string, string | undefined>;
  readonly method?: string;
}

/** An API Gateway event as AWS documents payload format 2.0. */
export function eventFor(path: string, call: TestCall): Event {
  const headers: Record<string, string> = {};
  const all = { 'content-type': 'application/json', 'x-admin-protocol': PROTOCOL_VERSION, ...call.headers };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) headers[name] = value;
  const raw = call.raw ?? JSON.stringify(call.body);
  const method = call.method ?? 'POST';
  const url = `/ifpp-draft1/${path.replace('.', '/')}`;
  return {
    version: '2.0',
    routeKey: `${method} ${url}`,
    rawPath: url,
    rawQueryString: '',
    headers,
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      domainName: 'smdpf.example.com',
      domainPrefix: 'smdpf',
      http: { method, path: url, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'r',
      routeKey: `${method} ${url}`,
      stage: '$default',
      time: '22/Nov/2026:15:00:00 +0000',
      timeEpoch: 1_795_359_600_000,
      ...(call.certificate === undefined
        ? {}
        : {
            authentication: {
              clientCert: {
                clientCertPem: call.certificate.cert,
                subjectDN: 'CN=test',
                issuerDN: 'CN=test',
                serialNumber: '1',
                validity: { notBefore: '', notAfter: '' },
              },
            },
          }),
    },
    ...(typeof raw === 'string'
      ? { body: raw, isBase64Encoded: false }
      : { body: Buffer.from(raw).toString('base64'), isBase64Encoded: true }),
  };
}

/** The Lambda of a function on these services; it writes no log unless it is told where. */
export const handlerOf = (
  path: FunctionPath,
  services: Services,
  options?: Partial<CallOptions>,
): FunctionHandler => functionHandler(functionAt(path), services, { log: () => {}, ...options });

export function callHandler(
  handler: FunctionHandler,
  path: string,
  call: TestCall,
  timeMs = 20_000,
): Promise<Result> {
  // Powertools looks for the request
  const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => timeMs };
  return handler(eventFor(path, call), context);
}

export interface JsonAnswer {
  readonly header: {
    readonly functionExecutionStatus: {
      readonly status: string;
      readonly statusCodeData?: {
        readonly subjectCode: string;
        readonly reasonCode: string;
        readonly subjectIdentifier?: string;
        readonly message?: string;
      };
    };
  };
  readonly [member: string]: unknown;
}

export function jsonOf(result: { body?: string | undefined }): JsonAnswer {
  return JSON.parse(result.body ?? '') as JsonAnswer;
}

/** "8.8.5/3.9" of a Failed answer, the status of any other. */
export function codesOf(answer: JsonAnswer): string {
  const { status, statusCodeData } = answer.header.functionExecutionStatus;
  return statusCodeData === undefined ? status : `${statusCodeData.subjectCode}/${statusCodeData.reasonCode}`;
}
