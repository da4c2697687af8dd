import { isIPv4, type Socket } from 'node:net';
import type { ConnectionLimits } from './limits.ts';
import { Rates } from './rates.ts';

type End = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/**
 * Connections of one listener, counted before TLS costs anything. Those on which no registered party has called yet count
 * for their address, the others for their party, so that strangers at an address take none of a party's.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #rates: Rates;
  /** Who each connection counts for, by its far end. */
  readonly #open = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(limits: ConnectionLimits, now: () => number) {
    this.#limits = limits;
    const perSecond = limits.newConnectionsPerSecond;
    this.#rates = new Rates({ perSecond, burst: perSecond * 5 }, now);
  }

  /** Whether a new connection may stay; counts it until it closes. */
  admit(socket: Socket): boolean {
    const address = addressOf(socket);
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#open.size >= connections || this.#count(address) >= connectionsPerAddress) return false;
    if (this.#rates.take(address) !== undefined) return false;
    const end = endOf(socket);
    this.#open.set(end, address);
    this.#add(address, 1);
    socket.once('close', () => {
      this.#add(this.#open.get(end)!, -1);
      this.#open.delete(end);
    });
    return true;
  }

  /** Counts a connection for a party from its first call on; false where the party has too many. */
  identified(socket: End, party: string): boolean {
    const end = endOf(socket);
    const owner = `party ${party}`;
    const before = this.#open.get(end);
    if (before === undefined || before === owner) return true;
    const { connectionsPerParty = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#count(owner) >= connectionsPerParty) return false;
    this.#add(before, -1);
    this.#open.set(end, owner);
    this.#add(owner, 1);
    return true;
  }

  #count(owner: string): number {
    return this.#counts.get(owner) ?? 0;
  }

  #add(owner: string, difference: number): void {
    const count = this.#count(owner) + difference;
    if (count === 0) this.#counts.delete(owner);
    else this.#counts.set(owner, count);
  }
}

/** TLS hands on the socket under it as another object; the far end is the same. */
const endOf = ({ remoteAddress, remotePort }: End): string => `${remoteAddress} ${remotePort}`;

/** Whom limits of an address count: an IPv4 address, or the /64 of an IPv6 address, all of which one host may use. */
export function addressOf({ remoteAddress = '' }: Pick<End, 'remoteAddress'>): string {
  const last = remoteAddress.slice(remoteAddress.lastIndexOf(':') + 1);
  if (isIPv4(last)) return last;
  const [head = '', tail] = (remoteAddress.split('%', 1)[0] ?? '').split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const ending = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? [] : Array<string>(8 - groups.length - ending.length).fill('0');
  return `${[...groups, ...zeros, ...ending].slice(0, 4).join(':')}::/64`;
}
