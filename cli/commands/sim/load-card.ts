import { type Bytes, concat, equal, fromHex, toHex } from '../../../shared/codec/bytes.ts';
import { refuse } from '../../../shared/errors.ts';
import { authorityKeyIdentifier } from '../../../sim/certificate.ts';
import {
  decodeBppBatch,
  encodeLoadPackage,
  NoAnswer,
  parseCertificate,
  SimError,
  type SoftEuicc,
  segmentBpp,
  storeDataApdus,
} from '../../../sim/index.ts';
import { readAll, readHeader, readTlv } from '../../../sim/tlv.ts';
import { UsageError } from '../../output/failure.ts';

/** What is sent to an eUICC for one profile. */
export interface Load {
  readonly transactionId: string;
  /** FF66, then the segments of the BPP. */
  readonly commands: readonly Bytes[];
}

/** The items of a BPP batch (FF62) for this EID. */
export function loadsOfBatch(bppBatch: Bytes, eid: string): Load[] {
  const { chains, items } = decodeBppBatch(bppBatch);
  return items.flatMap((item) => {
    if (item.eid !== eid || item.bound === undefined) return [];
    const { transactionId, keyId, bpp, chain } = item.bound;
    const loadPackage = encodeLoadPackage({ transactionId, keyId, chain: chains[chain]! });
    return [loadOf(transactionId, loadPackage, bpp)];
  });
}

/** A BPP that comes with its own LoadPackage (FF66). */
export function loadOf(transactionId: Bytes, loadPackage: Bytes, bpp: Bytes): Load {
  return { transactionId: toHex(transactionId), commands: [loadPackage, ...segmentBpp(bpp)] };
}

/** A BPP as `smdpf bind` writes it: the LoadPackage is made from the certificates, CERT.DPpb first, and the key. */
export function loadOfBound(bpp: Bytes, certificates: readonly Bytes[], keyId: Bytes): Load {
  const transactionId = transactionIdOf(bpp);
  const top = certificates.at(-1);
  if (top === undefined) throw new UsageError('--dppb-cert is missing', 'Name CERT.DPpb.');
  const ciPkId =
    authorityKeyIdentifier(parseCertificate(top).extensions) ??
    refuse('dpCertificateInvalid', 'the last certificate of --dppb-cert names no issuer key');
  const loadPackage = encodeLoadPackage({ transactionId, keyId, chain: { ciPkId, certificates } });
  return loadOf(transactionId, loadPackage, bpp);
}

/** Read without judging the rest, which is the eUICC's part. */
function transactionIdOf(bpp: Bytes): Bytes {
  try {
    const { headerLength, tag } = readHeader(bpp);
    if (tag !== 0xbf36) throw new SimError('the file does not start with BF36');
    const fields = readAll(readTlv(bpp, headerLength).value);
    const transactionId = fields.find((field) => field.tag === 0x80)?.value;
    if (transactionId === undefined) throw new SimError('BF23 holds no transactionId');
    return transactionId;
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    return refuse(
      'profileInvalid',
      `no transactionId for a LoadPackage can be read from --bpp: ${error.message}`,
    );
  }
}

export type CardAnswer = { readonly pir: Bytes } | { readonly statusWord: string } | 'noAnswer';

/** Sends the commands until the eUICC answers with a result, a status word other than 9000, or not at all. */
export function sendLoad(card: SoftEuicc, { commands }: Load): CardAnswer {
  card.reset();
  try {
    for (const apdu of commands.flatMap((command) => storeDataApdus(command))) {
      const { data, statusWord } = exchange(card, apdu);
      if (!equal(statusWord, fromHex('9000'))) return { statusWord: toHex(statusWord) };
      if (data.length > 0) return { pir: data };
    }
    return 'noAnswer';
  } catch (error) {
    if (error instanceof NoAnswer) return 'noAnswer';
    throw error;
  }
}

/** One APDU and the GET RESPONSEs that 61xx asks for. */
function exchange(card: SoftEuicc, apdu: Bytes): { data: Bytes; statusWord: Bytes } {
  let answer = card.transmit(apdu);
  let data = answer.subarray(0, -2);
  while (answer.at(-2) === 0x61) {
    answer = card.transmit(Uint8Array.of(apdu[0] ?? 0x80, 0xc0, 0, 0, answer.at(-1) ?? 0));
    data = concat(data, answer.subarray(0, -2));
  }
  return { data, statusWord: answer.subarray(-2) };
}
