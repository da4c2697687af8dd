import type { lookup } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import { Destinations } from '../../shared/net/destinations.ts';
import { httpFetch } from '../../shared/net/http-fetch.ts';
import { postCallbacks } from '../../shared/notify/post.ts';

/** Names of a network of its own; what is asked for is counted. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'public.example': ['8.8.8.8'],
  'metadata.example': ['169.254.169.254'],
  'this-machine.example': ['127.0.0.1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'two-faced.example': ['8.8.8.8', '127.0.0.1'],
  localhost: ['127.0.0.1'],
};
const resolve = ((name: string, _: unknown, done: (error: Error | null, addresses: unknown) => void) => {
  const addresses = NAMES[name.replace(/\.$/, '')];
  if (addresses === undefined) done(Object.assign(new Error(name), { code: 'ENOTFOUND' }), []);
  else
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
}) as typeof lookup;

let server: Server;
let port: number;
let called = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    called++;
    if (request.url === '/away') response.writeHead(302, { location: '/' });
    request.resume().on('end', () => response.end('taken'));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const LIMITS = { timeoutMs: 2_000, maxOctets: 1_000 };
const post = (destinations: Destinations, url: string) =>
  postCallbacks('ifpp-draft/v1.0.0', destinations)({ url, content: '{}', jws: 'a..b' });

describe('where others can send this server (SSRF)', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '[::]',
    '[::1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a00:1]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[2001:0:7f00:1::]',
    '[fe80::1]',
    '[fec0::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    'localhost',
    'localhost.',
    'a.localhost',
  ])('refuses an order that has its callbacks sent to %s, and sends nothing there', async (host) => {
    const destinations = new Destinations([], resolve);
    expect(destinations.isRefused(`https://${host}:8443/callbacks`)).toBe(true);
    const before = called;
    await expect(post(destinations, `http://${host}:${port}/`)).rejects.toThrow(Fault);
    await expect(httpFetch(LIMITS, destinations)(`http://${host}:${port}/`)).rejects.toThrow(Fault);
    expect(called).toBe(before);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '[2606:4700::1]', '[::ffff:8.8.8.8]', 'operator.example'])(
    'takes %s',
    (host) => expect(new Destinations().isRefused(`https://${host}/`)).toBe(false),
  );

  it.each(['metadata.example', 'this-machine.example', 'mapped.example', 'two-faced.example', 'localhost.'])(
    'refuses the name %s for what it resolves to, when the connection is made',
    async (name) => {
      const destinations = new Destinations([], resolve);
      const before = called;
      const url = `http://${name}:${port}/`;
      await expect(post(destinations, url)).rejects.toThrow(/inside this network.*internalDestinations/);
      await expect(httpFetch(LIMITS, destinations)(url)).rejects.toThrow(/inside this network/);
      expect(called).toBe(before);
    },
  );

  it.each([
    ['a host name', ['This-Machine.example']],
    ['an address', ['127.0.0.1']],
    ['a network', ['127.0.0.0/8']],
  ])('goes where the deployment allows it by %s', async (_, named) => {
    const destinations = new Destinations(named, resolve);
    const url = `http://this-machine.example:${port}/`;
    await post(destinations, url);
    expect(Buffer.from(await httpFetch(LIMITS, destinations)(url)).toString()).toBe('taken');
    await expect(post(destinations, 'http://metadata.example/')).rejects.toThrow(/inside this network/);
  });

  it('knows an allowed address under each of its names, and no other of its network', () => {
    const destinations = new Destinations(['10.0.0.1', 'fd12::/16', '::ffff:10.0.0.2']);
    for (const host of ['10.0.0.1', '[::ffff:10.0.0.1]', '[fd12:1::1]', '10.0.0.2'])
      expect(destinations.isRefused(`https://${host}/`), host).toBe(false);
    for (const host of ['10.0.0.3', '[fd13::1]', '127.0.0.1'])
      expect(destinations.isRefused(`https://${host}/`), host).toBe(true);
  });

  it('follows no redirect, and asks for nothing but http and https', async () => {
    const destinations = new Destinations(['127.0.0.1']);
    await expect(httpFetch(LIMITS, destinations)(`http://127.0.0.1:${port}/away`)).rejects.toThrow(/302/);
    await expect(post(destinations, `http://127.0.0.1:${port}/away`)).rejects.toThrow(/302/);
    for (const url of ['file:///etc/passwd', 'ftp://8.8.8.8/', 'no url'])
      await expect(httpFetch(LIMITS, destinations)(url), url).rejects.toThrow(/only http and https/);
  });

  it.each(['10.0.0.0/33', '::/129', 'a b', 'http://callbacks.example/', '', '10.0.0.0/8/8'])(
    'takes no %j for a destination',
    (entry) => expect(() => new Destinations([entry])).toThrow(/internalDestinations\[0\] is no host name/),
  );
});
