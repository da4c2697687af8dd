import type { Bytes } from '../codec/bytes.ts';
import { type TlvReader, tlv } from '../codec/tlv.ts';
import { LIMITS, read, write } from './fields.ts';

/** The certificates that lead from CERT.DPpb to a root that the eUICC knows. */
export interface Chain {
  /** SubjectKeyIdentifier of the root, 20 octets. */
  readonly ciPkId: Bytes;
  /** DER, CERT.DPpb first, root omitted. */
  readonly certificates: readonly Bytes[];
}

export function encodeChainFields(chain: Chain): Bytes[] {
  return [
    write.octets(0, chain.ciPkId),
    write.list(
      1,
      chain.certificates.map((certificate) => tlv(0x04, certificate)),
    ),
  ];
}

export function encodeChain(chain: Chain): Bytes {
  return write.sequence(...encodeChainFields(chain));
}

/** The fields of a Chain; the reader stands inside its SEQUENCE. */
export function readChainFields(fields: TlvReader): Chain {
  const ciPkId = read.octets(fields, 0, 'ciPkId', 20);
  const certificates = read.list(fields, 1, 'certificates', LIMITS.certificatesInChain, (list) =>
    read.listedDerTlv(list, 'certificate'),
  );
  fields.end();
  return { ciPkId, certificates };
}

export function readChain(list: TlvReader): Chain {
  return readChainFields(list.enter(0x30, 'Chain'));
}
