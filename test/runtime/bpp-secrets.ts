import { type Bytes, equal } from '../../shared/codec/bytes.ts';
import { BspReceiver, deriveSessionKeys } from '../../sim/bsp.ts';
import { encodeEid } from '../../sim/coding.ts';
import { agree } from '../../sim/curve.ts';
import type { Bound, PersonalisedEuicc } from '../../sim/index.ts';
import { segmentBpp } from '../../sim/index.ts';
import { Fields, readHeader, readOnly } from '../../sim/tlv.ts';

/** What only the eUICC of a BPP can learn from it: shared secret, session keys and PPK, three values of 16 octets each. */
export interface BppSecrets {
  readonly shared: Bytes;
  readonly sessionKeys: readonly Bytes[];
  readonly ppk: readonly Bytes[];
}

/** Opens a BPP as its eUICC does, with the one-time private key (SGP.22 §2.5.4, §5.5). */
export function bppSecrets(euicc: PersonalisedEuicc, { keyId, bpp }: Bound, hostId: Bytes): BppSecrets {
  const oneTimeKey = euicc.oneTimeKeys.find((key) => equal(key.keyId, keyId))!.key;
  const [channel, configure, , ...rest] = segmentBpp(bpp) as [Bytes, Bytes, Bytes, ...Bytes[]];
  const request = new Fields(readOnly(channel.subarray(readHeader(channel).headerLength), 0xbf23).value);
  for (const tag of [0x82, 0x80, 0xa6]) request.take(tag);
  const shared = agree(oneTimeKey, request.take(0x5f49).value);
  const keys = deriveSessionKeys(shared, hostId, encodeEid(euicc.eid));
  const receiver = new BspReceiver(keys);
  const open = (tag: number, element: Bytes) => receiver.open(tag, readOnly(element, tag).value);
  open(0x87, readOnly(configure, 0xa0).value);
  const replaceAt = rest.findIndex(([tag]) => tag === 0xa2);
  for (const metadata of rest.slice(0, replaceAt)) open(0x88, metadata);
  const replace = new Fields(readOnly(open(0x87, readOnly(rest[replaceAt]!, 0xa2).value), 0xbf26).value);
  return {
    shared,
    sessionKeys: [keys.initialMcv, keys.encKey, keys.macKey],
    ppk: [0x80, 0x81, 0x82].map((tag) => replace.take(tag).value),
  };
}
