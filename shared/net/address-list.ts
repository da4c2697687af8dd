import { BlockList, isIP } from 'node:net';
import { Fault } from '../errors.ts';
import { plainAddress } from './internal-addresses.ts';

/** This machine, as a list of addresses has it. */
export const LOOPBACK = ['127.0.0.0/8', '::1'] as const;

/** Addresses and networks (`10.1.0.0/16`), in either family. */
export class AddressList {
  readonly #blocks = new BlockList();

  /** A configuration Fault, with `name` of the member, for what is no address or network. */
  constructor(entries: readonly string[], name: string) {
    for (const [i, entry] of entries.entries()) {
      const [, network = entry, length] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
      const family = isIP(network);
      if (family === 0 || Number(length ?? 0) > (family === 4 ? 32 : 128))
        throw new Fault('configuration', `${name}[${i}] is no address or network`);
      if (length === undefined)
        this.#blocks.addAddress(plainAddress(network), familyOf(plainAddress(network)));
      else this.#blocks.addSubnet(network, Number(length), familyOf(network));
    }
  }

  /** An IPv6 address that stands for one of IPv4 counts as that. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && this.#blocks.check(plain, familyOf(plain));
  }
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
