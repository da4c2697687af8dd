import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * What is not of the public internet, by the registries of special-purpose addresses (RFC 6890, IANA): this machine,
 * links, private networks (RFC 1918, RFC 4193), carriers' (RFC 6598), documentation, tests, multicast, what is reserved.
 */
const INTERNAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // RFC 3927; cloud machines are told their secrets there
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // public by its number, and answered by the host of a machine on Azure
  '168.63.129.16/32',
];

/** Of IPv6, 2000::/3 alone is public, and of that not: Teredo and other protocols, documentation, 6to4. */
const PUBLIC_IPV6 = ['2000::/3'];
const INTERNAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const networks = (list: readonly string[], family: 'ipv4' | 'ipv6'): BlockList => {
  const blocks = new BlockList();
  for (const entry of list) {
    const [network = '', length = ''] = entry.split('/');
    blocks.addSubnet(network, Number(length), family);
  }
  return blocks;
};

const internalIpv4 = networks(INTERNAL_IPV4, 'ipv4');
const publicIpv6 = networks(PUBLIC_IPV6, 'ipv6');
const internalIpv6 = networks(INTERNAL_IPV6, 'ipv6');

/** Whether an address, as `plainAddress` has it, is another than one of the public internet. */
export function isInternal(address: string): boolean {
  if (isIPv4(address)) return internalIpv4.check(address, 'ipv4');
  if (!isIPv6(address)) return true;
  return !publicIpv6.check(address, 'ipv6') || internalIpv6.check(address, 'ipv6');
}

/**
 * An IPv4 address in place of an IPv6 address that stands for it: mapped (::ffff:0:0/96), or translated by the well-known
 * prefix of NAT64 (64:ff9b::/96, RFC 6052). Without a zone.
 */
export function plainAddress(address: string): string {
  const unzoned = address.replace(/%.*$/, '');
  if (!isIPv6(unzoned)) return unzoned;
  // the URL parser writes all forms of an address as one
  const written = URL.parse(`http://[${unzoned}]/`)?.hostname.slice(1, -1) ?? unzoned;
  const [, high, low] = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(written) ?? [];
  if (high === undefined || low === undefined) return unzoned;
  const number = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
