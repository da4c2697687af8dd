import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { APIGatewayEventClientCertificate } from 'aws-lambda';
import type { Event } from '../../lambdas/call.ts';
import type { Bytes } from '../../shared/codec/bytes.ts';

/** Makes of a request what API Gateway would make of it: an HTTP API event, payload format 2.0. */
export function eventOf(request: IncomingMessage, path: string, body: Bytes, now: Date, id: string): Event {
  const method = request.method ?? '';
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) headers[name] = values.join(',');
  }
  const certificate =
    request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined;
  const host = headers.host ?? '';
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers,
    requestContext: {
      accountId: 'embedded',
      apiId: 'embedded',
      ...(certificate === undefined
        ? {}
        : { authentication: { clientCert: clientCertificate(certificate) } }),
      domainName: host,
      domainPrefix: host.split('.', 1)[0]!,
      http: {
        method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: id,
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
    isBase64Encoded: true,
  };
}

function clientCertificate(certificate: X509Certificate): APIGatewayEventClientCertificate {
  return {
    clientCertPem: certificate.toString(),
    subjectDN: certificate.subject,
    issuerDN: certificate.issuer,
    serialNumber: certificate.serialNumber,
    validity: { notBefore: certificate.validFrom, notAfter: certificate.validTo },
  };
}
