import { type Bytes, fromHex } from '../codec/bytes.ts';
import { encodeEid } from '../codec/eid.ts';
import { decodeOid } from '../codec/oid.ts';
import { readSingle, TlvReader, tlvOfFields } from '../codec/tlv.ts';
import { LIMITS, read } from './fields.ts';
import { TAG } from './tags.ts';

/** EuiccDataBatch (FF60): what an EUM tells of its eUICCs, on path A by Esed1 or on path B inside a BppRequest. */
export const EUICC_DATA_BATCH = TAG.euiccDataBatch;
const ONE_TIME_KEY_TBS = TAG.oneTimeKeyTbs;

/** One-time keys of one eUICC in one batch. */
export const MAX_KEYS_PER_EUICC = 64;

export interface OneTimeKey {
  /** Lower-case hexadecimal of 1 to 16 octets; unique in the eUICC. */
  readonly keyId: string;
  /** As received; not yet known to be one of the batch's suite. */
  readonly otPk: Bytes;
  /** Raw r‖s by SK.EUICC over the OneTimeKeyTbs. */
  readonly proof: Bytes;
}

export interface EuiccEntry {
  /** As received: 32 hexadecimal characters, digits and check digits not yet verified. */
  readonly eid: string;
  readonly euiccCert: Bytes;
  readonly oneTimeKeys: readonly OneTimeKey[];
  /** BF22, where it differs from the batch's. */
  readonly euiccInfo2: Bytes | undefined;
}

export interface EuiccDataHead {
  readonly batchId: string;
  readonly ciPkId: Bytes;
  /** Dotted object identifier of the suite: of the named curve, where certificates and one-time keys share one. */
  readonly curve: string;
  /** Issuer of the eUICCs first, root omitted. */
  readonly eumChain: readonly Bytes[];
  /** BF22. */
  readonly euiccInfo2: Bytes;
}

export interface EuiccDataBatch extends EuiccDataHead {
  /** The complete element of each entry: an entry that is malformed inside spoils itself alone. */
  readonly entries: readonly Bytes[];
  readonly deviceManufacturers: readonly string[] | undefined;
  readonly eumDataSignature: Bytes | undefined;
  /** The octets that eumDataSignature covers: fields 0..7 as received. */
  readonly signed: Bytes;
}

/** The fields before the entries; the reader stands inside FF60 and ends before field 6. */
export function readEuiccDataHead(fields: TlvReader): EuiccDataHead {
  read.version(fields);
  return {
    batchId: read.id(fields, 1, 'batchId'),
    ciPkId: read.octets(fields, 2, 'ciPkId', 20),
    curve: decodeOid(fields.octets(0x83, 'curve', 1, 32)),
    eumChain: read.list(fields, 4, 'eumChain', LIMITS.certificatesInChain, (list) =>
      read.listedDerTlv(list, 'certificate'),
    ),
    euiccInfo2: read.derTlv(fields, 5, 'euiccInfo2'),
  };
}

/** Field 7, where it is present. */
export function readDeviceManufacturers(fields: TlvReader): readonly string[] | undefined {
  if (!read.has(fields, 7)) return undefined;
  return read.list(fields, 7, 'deviceManufacturers', 1000, (list) =>
    read.listedText(list, 'deviceManufacturer'),
  );
}

/** Decodes the frame. Entries stay as elements, to be read one by one with `decodeEuiccEntry`. */
export function decodeEuiccDataBatch(der: Bytes): EuiccDataBatch {
  const fields = TlvReader.of(readSingle(der, EUICC_DATA_BATCH, 'EuiccDataBatch'));
  const head = readEuiccDataHead(fields);
  const entries = read.list(
    fields,
    6,
    'entries',
    Number.POSITIVE_INFINITY,
    (list) => list.next('EuiccEntry').raw,
  );
  const deviceManufacturers = readDeviceManufacturers(fields);
  const signed = fields.readSoFar;
  const eumDataSignature = read.has(fields, 8) ? read.signature(fields, 8, 'eumDataSignature') : undefined;
  fields.end();
  return {
    ...head,
    entries,
    deviceManufacturers,
    eumDataSignature,
    signed,
  };
}

export function decodeEuiccEntry(element: Bytes): EuiccEntry {
  const fields = TlvReader.of(readSingle(element, 0x30, 'EuiccEntry'));
  const entry = {
    eid: read.eid(fields, 0, 'eid'),
    euiccCert: read.derTlv(fields, 1, 'euiccCert'),
    oneTimeKeys: read.list(fields, 2, 'oneTimeKeys', MAX_KEYS_PER_EUICC, readOneTimeKey),
    euiccInfo2: read.has(fields, 3) ? read.derTlv(fields, 3, 'euiccInfo2') : undefined,
  };
  fields.end();
  return entry;
}

function readOneTimeKey(list: TlvReader): OneTimeKey {
  const fields = list.enter(0x30, 'OneTimeKey');
  const key = {
    keyId: read.id(fields, 0, 'keyId'),
    otPk: read.oneTimeKey(fields, 1, 'otPk'),
    proof: read.signature(fields, 2, 'proof'),
  };
  fields.end();
  return key;
}

/**
 * OneTimeKeyTbs (FF64): what the eUICC signs to prove that the one-time key is its own. The hash ties its
 * EuiccInfo2 to the proof, so that nobody between eUICC and SM-DPf can make it look more capable.
 */
export function encodeOneTimeKeyTbs(
  eid: string,
  key: Pick<OneTimeKey, 'keyId' | 'otPk'>,
  euiccInfo2Hash: Bytes,
): Bytes {
  return tlvOfFields(ONE_TIME_KEY_TBS, [encodeEid(eid), fromHex(key.keyId), key.otPk, euiccInfo2Hash]);
}

export function decodeOneTimeKeyTbs(
  der: Bytes,
): Pick<OneTimeKey, 'keyId' | 'otPk'> & { readonly eid: string; readonly euiccInfo2Hash: Bytes } {
  const fields = TlvReader.of(readSingle(der, ONE_TIME_KEY_TBS, 'OneTimeKeyTbs'));
  const tbs = {
    eid: read.eid(fields, 0, 'eid'),
    keyId: read.id(fields, 1, 'keyId'),
    otPk: read.oneTimeKey(fields, 2, 'otPk'),
    euiccInfo2Hash: read.octets(fields, 3, 'euiccInfo2Hash', 32),
  };
  fields.end();
  return tbs;
}
