import { createHash } from 'node:crypto';
import { type BaseBlock, ObjectIdentifier } from 'asn1js';
import { decodeEid, encodeEid, encodeId16 } from './identifiers.ts';
import { type Signer, sig64 } from './signing.ts';
import {
  children,
  constructed,
  content,
  contents,
  derTlv,
  encode,
  Fields,
  integer,
  type Octets,
  primitive,
  privateObject,
  readPrivate,
  sequence,
  toHex,
  utf8String,
} from './tlv.ts';

export interface OneTimeKey {
  /** Hexadecimal, 1 to 16 octets; names one key of the eUICC for ever. */
  readonly keyId: string;
  /** On a curve alone 65 octets, 04 ‖ X ‖ Y. */
  readonly otPk: Octets;
  /** Sig64 of the eUICC over OneTimeKeyTbs: see `proveOneTimeKey`. */
  readonly proof: Octets;
}

export interface EuiccEntry {
  readonly eid: string;
  /** CERT.EUICC.ECDSA in DER. */
  readonly euiccCert: Octets;
  readonly oneTimeKeys: readonly OneTimeKey[];
  /** EuiccInfo2 (BF22) of this eUICC, where it differs from that of the batch. */
  readonly euiccInfo2?: Octets;
}

export interface EuiccDataBatch {
  /** Hexadecimal, 1 to 16 octets. */
  readonly batchId: string;
  /** SubjectKeyIdentifier of the CI, 20 octets. */
  readonly ciPkId: Octets;
  /** OID of the suite, such as 1.2.840.10045.3.1.7 for p256. */
  readonly curve: string;
  /** Issuer of the eUICCs first, root omitted. */
  readonly eumChain: readonly Octets[];
  readonly euiccInfo2: Octets;
  readonly entries: readonly EuiccEntry[];
  /** functionRequesterIdentifiers; needed on path A. */
  readonly deviceManufacturers?: readonly string[];
}

/** OneTimeKeyTbs (FF64), whole: what SK.EUICC signs. */
export const encodeOneTimeKeyTbs = (eid: string, keyId: string, otPk: Octets, euiccInfo2: Octets): Octets =>
  encode(
    privateObject(100, [
      primitive(0, encodeEid(eid)),
      primitive(1, encodeId16(keyId)),
      primitive(2, otPk),
      primitive(3, new Uint8Array(createHash('sha256').update(euiccInfo2).digest())),
    ]),
  );

/** A one-time key with its proof; `euiccInfo2` is the whole BF22 that counts for the entry. */
export async function proveOneTimeKey(
  eid: string,
  key: Omit<OneTimeKey, 'proof'>,
  euiccInfo2: Octets,
  euicc: Signer,
): Promise<OneTimeKey> {
  return { ...key, proof: await sig64(euicc, encodeOneTimeKeyTbs(eid, key.keyId, key.otPk, euiccInfo2)) };
}

/** EuiccDataBatch (FF60). `dataKey`, the EUM's registered data key, signs the encoded fields 0 to 7. */
export async function encodeEuiccDataBatch(batch: EuiccDataBatch, dataKey?: Signer): Promise<Octets> {
  const { deviceManufacturers: makers } = batch;
  const fields: BaseBlock[] = [
    primitive(0, integer(1)),
    primitive(1, encodeId16(batch.batchId)),
    primitive(2, batch.ciPkId),
    primitive(3, oid(batch.curve)),
    constructed(4, batch.eumChain.map(derTlv)),
    primitive(5, batch.euiccInfo2),
    constructed(6, batch.entries.map(entryBlock)),
    ...(makers === undefined ? [] : [constructed(7, makers.map(utf8String))]),
  ];
  if (dataKey !== undefined) {
    const signed = Buffer.concat(fields.map(encode));
    fields.push(primitive(8, await sig64(dataKey, signed)));
  }
  return encode(privateObject(96, fields));
}

const entryBlock = ({ eid, euiccCert, oneTimeKeys, euiccInfo2 }: EuiccEntry): BaseBlock =>
  sequence([
    primitive(0, encodeEid(eid)),
    primitive(1, euiccCert),
    constructed(
      2,
      oneTimeKeys.map(({ keyId, otPk, proof }) =>
        sequence([primitive(0, encodeId16(keyId)), primitive(1, otPk), primitive(2, proof)]),
      ),
    ),
    ...(euiccInfo2 === undefined ? [] : [primitive(3, euiccInfo2)]),
  ]);

/** Reads an EuiccDataBatch (FF60); signatures and certificates are not looked at. */
export function decodeEuiccDataBatch(der: Octets): EuiccDataBatch & { readonly eumDataSignature?: Octets } {
  const fields = readPrivate(der, 96, 'EuiccDataBatch');
  fields.take(0);
  const batch = {
    batchId: toHex(content(fields.take(1))),
    ciPkId: content(fields.take(2)),
    curve: dotted(content(fields.take(3))),
    eumChain: contents(fields.take(4), 'eumChain'),
    euiccInfo2: content(fields.take(5)),
    entries: children(fields.take(6), 'entries').map(readEntry),
  };
  const makers = fields.maybe(7);
  const signature = fields.maybe(8);
  fields.end();
  return {
    ...batch,
    ...(makers && {
      deviceManufacturers: children(makers, 'deviceManufacturers').map((maker) =>
        (maker as ReturnType<typeof utf8String> & { getValue(): string }).getValue(),
      ),
    }),
    ...(signature && { eumDataSignature: content(signature) }),
  };
}

function readEntry(block: BaseBlock): EuiccEntry {
  const fields = new Fields(block, 'EuiccEntry');
  const eid = decodeEid(content(fields.take(0)));
  const euiccCert = content(fields.take(1));
  const oneTimeKeys = children(fields.take(2), 'oneTimeKeys').map((key) => {
    const parts = new Fields(key, 'OneTimeKey');
    return {
      keyId: toHex(content(parts.take(0))),
      otPk: content(parts.take(1)),
      proof: content(parts.take(2)),
    };
  });
  const info = fields.maybe(3);
  fields.end();
  return { eid, euiccCert, oneTimeKeys, ...(info && { euiccInfo2: content(info) }) };
}

const oid = (value: string): Octets => {
  const { valueBlock } = new ObjectIdentifier({ value });
  return new Uint8Array(valueBlock.toBER());
};

function dotted(octets: Octets): string {
  const block = new ObjectIdentifier();
  block.valueBlock.fromBER(octets, 0, octets.length);
  return block.valueBlock.toString();
}
