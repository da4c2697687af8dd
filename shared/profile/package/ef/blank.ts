/**
 * The octets of a file to which nothing was written: FF (ETSI TS 102 221). One by one, since of so few a call of node:buffer takes
 * longer to find out what it is to do.
 */
export function blank(length: number): Buffer {
  const octets = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) octets[i] = 0xff;
  return octets;
}
