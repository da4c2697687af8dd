import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { encodePem, encodePrivateKeyPem, generateKey, SimCi } from '../../../sim/index.ts';

/** A callback as it came. */
export interface ReceivedCallback {
  readonly octets: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** PEM of the client certificate; undefined where TLS showed none. */
  readonly client: string | undefined;
}

/** A callback server of an Operator on plain node:https, under a CA of its own. */
export class Receiver {
  readonly received: ReceivedCallback[] = [];
  /** What the next call is answered with. */
  answer = 204;
  /** Answers in its place, by what came. */
  respond: ((octets: Buffer, response: ServerResponse) => void) | undefined;
  readonly ca: string;
  readonly #server: Server;

  private constructor(ca: string, server: Server) {
    this.ca = ca;
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const ci = SimCi.create();
    const key = generateKey('p256');
    const cert = encodePem('CERTIFICATE', ci.issueTls(key, { cn: 'operator', ipv4: ['127.0.0.1'] }));
    const tls = { key: encodePrivateKeyPem(key), cert, requestCert: true, rejectUnauthorized: false };
    const receiver: Receiver = new Receiver(
      encodePem('CERTIFICATE', ci.certificate),
      createServer(tls, async (request, response) => {
        const octets: Buffer[] = [];
        for await (const chunk of request) octets.push(chunk as Buffer);
        const client = (request.socket as TLSSocket).getPeerX509Certificate()?.toString();
        receiver.received.push({ octets: Buffer.concat(octets), headers: request.headers, client });
        if (receiver.respond === undefined) response.writeHead(receiver.answer).end();
        else receiver.respond(Buffer.concat(octets), response);
      }),
    );
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/callbacks?of=smdpf`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
