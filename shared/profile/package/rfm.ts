import type { Tlv } from '../../codec/tlv.ts';
import { aidText } from './application-instance.ts';
import { child, children } from './element.ts';

/** What is read of a PE-RFM (TCA eUICC Profile Package section 8.8); AIDs and TARs in upper-case hexadecimal. */
export interface Rfm {
  readonly instanceAid: string | undefined;
  /** Undefined where there is no tarList: the TAR is in the instance AID. */
  readonly tars: readonly string[] | undefined;
  /** AID of the ADF that a script finds selected; undefined for the MF. */
  readonly adfAid: string | undefined;
}

const TAR_LIST = 0xa0;
const ADF_ACCESS = 0x30;

export function decodeRfm(fields: readonly Tlv[]): Rfm {
  // the PEHeader has the tag of the tarList
  const rest = fields.slice(1);
  const instance = child(rest, 0x4f);
  const tarList = child(rest, TAR_LIST);
  const access = child(rest, ADF_ACCESS);
  const adf = access && child(children(access), 0x80);
  return {
    instanceAid: instance && aidText(instance.value),
    tars: tarList && children(tarList).map(({ value }) => aidText(value)),
    adfAid: adf && aidText(adf.value),
  };
}

/** Octets 13 to 15 of an AID (ETSI TS 101 220 section 6.2): the TAR of an application without a tarList. */
export function tarOfAid(aid: string): string | undefined {
  return aid.length >= 30 ? aid.slice(24, 30) : undefined;
}
