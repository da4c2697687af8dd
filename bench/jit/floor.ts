/**
 * The floor of `bench:jit`: a bare HTTPS server with mutual TLS that does the cryptography of one bind for each request and
 * answers with as many octets. No store, no rules. A process of its own.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { floorOfBind, SESSION_ELEMENTS } from '../floor.ts';

export interface FloorData {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** Octets of an answer. */
  readonly octets: number;
}

process.once('message', ({ key, cert, octets }: FloorData) => {
  const namedCurve = 'P-256';
  const bind = floorOfBind(
    'lean',
    {
      namedCurve,
      euiccOtpk: generateKeyPairSync('ec', { namedCurve }).publicKey,
      signingKey: generateKeyPairSync('ec', { namedCurve }).privateKey,
    },
    SESSION_ELEMENTS,
  );
  const answer = Buffer.alloc(octets);
  const server = createServer(
    { key, cert, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      request.resume().once('end', () => {
        bind();
        response.writeHead(200, { 'content-length': octets }).end(answer);
      });
    },
  );
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
});
