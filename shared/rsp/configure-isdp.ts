import type { Bytes } from '../codec/bytes.ts';
import { decodeOid, encodeOid } from '../codec/oid.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';

/**
 * ES8+.ConfigureISDP (SGP.22 section 5.5.2): `BF24 [ B8 { 80 dpOid, … } ]`. The module has automatic tags, hence 80
 * for dpOid, as ASN.1 compilers encode it.
 */
export interface ConfigureIsdpRequest {
  readonly dpProprietaryData?: DpProprietaryData;
}

export interface DpProprietaryData {
  /** In the tree of the server that created the profile, dotted. */
  readonly dpOid: string;
  /** Further TLVs of that server, concatenated. */
  readonly additional?: Bytes;
}

const CONFIGURE_ISDP = 0xbf24;
const DP_PROPRIETARY_DATA = 0xb8;
/** Most octets of dpProprietaryData, tag and length included. */
const DP_PROPRIETARY_LIMIT = 128;

export function encodeConfigureIsdp({ dpProprietaryData }: ConfigureIsdpRequest): Bytes {
  if (dpProprietaryData === undefined) return tlv(CONFIGURE_ISDP);
  const data = tlv(
    DP_PROPRIETARY_DATA,
    tlv(0x80, encodeOid(dpProprietaryData.dpOid)),
    dpProprietaryData.additional,
  );
  if (data.length > DP_PROPRIETARY_LIMIT)
    refuse('orderInvalid', 'dpProprietaryData is longer than 128 octets');
  return tlv(CONFIGURE_ISDP, data);
}

export function decodeConfigureIsdp(octets: Bytes): ConfigureIsdpRequest {
  const request = TlvReader.of(readSingle(octets, CONFIGURE_ISDP, 'ConfigureISDPRequest'));
  const data = request.optional(DP_PROPRIETARY_DATA);
  request.end();
  if (data === undefined) return {};
  if (data.raw.length > DP_PROPRIETARY_LIMIT) request.refuse(data, 'is longer than 128 octets');
  const reader = TlvReader.of(data, request.path);
  const dpOid = decodeOid(reader.expect(0x80, 'dpOid').value);
  const start = reader.readSoFar.length;
  while (!reader.done) reader.next();
  const additional = data.value.subarray(start);
  return { dpProprietaryData: { dpOid, ...(additional.length > 0 && { additional }) } };
}
