import type { FunctionHandler } from '../lambdas/api-gateway.ts';

/** Emulators end no mutual TLS: the caller's certificate comes in this header, as PEM in percent-encoding. */
export const CERTIFICATE_HEADER = 'x-smdpf-emulated-client-certificate';

/**
 * Puts the certificate of the header where API Gateway puts that of mutual TLS. Anybody can send a header: this is in
 * the bundles for emulators only, and a test holds that no production bundle has it.
 */
export function withCertificateHeader(handler: FunctionHandler): FunctionHandler {
  return (event, context) => {
    const pem = event.headers[CERTIFICATE_HEADER];
    if (pem === undefined) return handler(event, context);
    const clientCert = {
      clientCertPem: decodeURIComponent(pem),
      subjectDN: '',
      issuerDN: '',
      serialNumber: '',
      validity: { notBefore: '', notAfter: '' },
    };
    const requestContext = { ...event.requestContext, authentication: { clientCert } };
    return handler({ ...event, requestContext }, context);
  };
}
