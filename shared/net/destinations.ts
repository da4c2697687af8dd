import { lookup } from 'node:dns';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Fault } from '../errors.ts';
import { isInternal, plainAddress } from './internal-addresses.ts';

/**
 * Where this server lets others send it. The address of a callback is an Operator's word and a CRL distribution point an
 * EUM's: neither may lead to what only this machine or its network can reach (SSRF), such as a metadata service at
 * 169.254.169.254. Public addresses alone are called, and what the deployment names besides. The address that a name
 * resolves to is what counts, and is what the connection is made to, so that a name cannot change in between.
 */
export class Destinations {
  readonly #hosts = new Set<string>();
  readonly #networks = new BlockList();
  /** Without the proxies and the pool of other calls: a connection of this pool was checked when it was made. */
  readonly #http = new HttpAgent({ keepAlive: true, scheduling: 'lifo', timeout: 5_000 });
  readonly #https = new HttpsAgent({ keepAlive: true, scheduling: 'lifo', timeout: 5_000 });
  readonly #resolve: typeof lookup;

  /**
   * `named`: internal destinations that are allowed, each a host name, an IP address or a network such as 10.1.0.0/16.
   * A name is allowed whatever it resolves to. A configuration Fault for anything else.
   */
  constructor(named: readonly string[] = [], resolve: typeof lookup = lookup) {
    this.#resolve = resolve;
    for (const [i, entry] of named.entries()) this.#allow(entry, `internalDestinations[${i}]`);
  }

  /** Whether the URL names an internal address in itself; what a name resolves to shows when it is called. */
  isRefused(url: string): boolean {
    const host = hostOf(url);
    if (isIP(host) !== 0) return !this.#allows(host);
    return /^(.+\.)?localhost$/.test(host) && !this.#hosts.has(host) && !this.#allows('127.0.0.1');
  }

  /**
   * A request over HTTP or HTTPS, as node:http makes it, that connects to allowed destinations alone: any other is a
   * configuration Fault, thrown for an address and raised as 'error' for a name. Redirects are nothing that it follows.
   */
  request(url: string, options: RequestOptions): ClientRequest {
    const { protocol } = URL.parse(url) ?? { protocol: '' };
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new Fault('configuration', 'only http and https can be called');
    const host = hostOf(url);
    // no look-up is made for an address
    if (isIP(host) !== 0 && !this.#allows(host)) throw refused();
    const checked = { ...options, lookup: this.#lookupOf(host) };
    return protocol === 'https:'
      ? httpsRequest(url, { ...checked, agent: this.#https })
      : httpRequest(url, { ...checked, agent: this.#http });
  }

  /** One internal address among those of a name is enough to refuse it. */
  #lookupOf(host: string): LookupFunction {
    const named = this.#hosts.has(host);
    return (name, options, done) => {
      this.#resolve(name, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return done(error, []);
        if (!named && !addresses.every(({ address }) => this.#allows(address))) return done(refused(), []);
        const [first] = addresses;
        if (options.all === true) done(null, addresses);
        else done(null, first?.address ?? '', first?.family ?? 0);
      });
    };
  }

  #allows(address: string): boolean {
    const plain = plainAddress(address);
    return !isInternal(plain) || this.#networks.check(plain, familyOf(plain));
  }

  #allow(entry: string, where: string): void {
    const [, network = entry, length] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(network);
    const fail = () => new Fault('configuration', `${where} is no host name, address or network`);
    if (family === 0) {
      if (!/^[a-z0-9]([a-z0-9-.]*[a-z0-9])?$/i.test(entry)) throw fail();
      this.#hosts.add(entry.toLowerCase());
      return;
    }
    if (length !== undefined && Number(length) > (family === 4 ? 32 : 128)) throw fail();
    if (length === undefined)
      this.#networks.addAddress(plainAddress(network), familyOf(plainAddress(network)));
    else this.#networks.addSubnet(network, Number(length), familyOf(network));
  }
}

const refused = () =>
  new Fault(
    'configuration',
    'the address is one inside this network, and is not among the internalDestinations of the configuration',
    { retryable: true },
  );

/** Scheme, host and port of a URL, for the log: a path, query or user name may be a password in the end. */
export const originOf = (url: string): string => URL.parse(url)?.origin ?? '';

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** As the URL parser has it: 0x7f.1 is 127.0.0.1 by then. Without brackets and the dot of the root. */
const hostOf = (url: string) =>
  (URL.parse(url)?.hostname ?? '')
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
