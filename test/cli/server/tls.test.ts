import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../../cli/server/server.ts';
import { memoryServices } from '../../support/memory-services.ts';
import { selfSigned } from '../../support/self-signed.ts';

const tls = selfSigned('smdpf');
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    services: memoryServices(),
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    vault: { openTransfer: () => expect.unreachable('no transfer is asked for') },
    log: () => undefined,
  });
});
afterAll(() => server?.close());

const SIDES = ['parties', 'field'] as const;

/** The connection, or undefined where the handshake fails. */
function handshake(side: (typeof SIDES)[number], options: ConnectionOptions): Promise<TLSSocket | undefined> {
  const port = Number(new URL(server.urls[side]).port);
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ca: tls.cert, ...options });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

describe.each(SIDES)('TLS of the listener of the %s', { tags: ['HTTP-TLS'] }, (side) => {
  it.each([
    ['ECDHE-ECDSA-AES128-SHA', 'CBC with SHA-1'],
    ['ECDHE-ECDSA-AES256-SHA', 'CBC with SHA-1'],
    ['ECDHE-ECDSA-AES128-SHA256', 'CBC'],
    ['ECDHE-ECDSA-AES256-SHA384', 'CBC'],
    ['ECDHE-ECDSA-AES128-CCM', 'CCM'],
    ['ECDHE-ECDSA-AES256-CCM8', 'CCM with a short tag'],
    ['ECDHE-ECDSA-CAMELLIA128-SHA256', 'Camellia'],
    ['ECDHE-ARIA128-GCM-SHA256', 'ARIA'],
    ['ECDHE-ECDSA-ARIA256-GCM-SHA384', 'ARIA'],
  ])('1.2 has no %s (%s)', async (ciphers) => {
    const socket = await handshake(side, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
    socket?.destroy();
    expect(socket).toBeUndefined();
  });

  it.each([
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ])('1.2 has %s', async (ciphers) => {
    const socket = await handshake(side, { maxVersion: 'TLSv1.2', ciphers });
    expect([socket?.getProtocol(), socket?.getCipher().name]).toEqual(['TLSv1.2', ciphers]);
    socket?.destroy();
  });

  it('1.3 is what is agreed on where the peer has it', async () => {
    const socket = await handshake(side, {});
    expect(socket?.getProtocol()).toBe('TLSv1.3');
    socket?.destroy();
  });

  it('1.3 agrees on X25519MLKEM768 with a peer that has nothing else', async () => {
    const socket = await handshake(side, { ecdhCurve: 'X25519MLKEM768' });
    expect(socket?.getProtocol()).toBe('TLSv1.3');
    socket?.destroy();
  });

  it('1.3 goes on with a peer that has no ML-KEM', async () => {
    const socket = await handshake(side, { ecdhCurve: 'X25519:prime256v1' });
    expect(socket?.getEphemeralKeyInfo()).toMatchObject({ type: 'ECDH', name: 'X25519' });
    socket?.destroy();
  });

  it('refuses to renegotiate', async () => {
    const socket = await handshake(side, { maxVersion: 'TLSv1.2' });
    const refused = await new Promise((resolve) => {
      socket?.once('error', resolve);
      socket?.renegotiate({}, (error) => resolve(error));
    });
    socket?.destroy();
    expect(refused).toBeInstanceOf(Error);
  });
});
