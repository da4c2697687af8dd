import { createHash, randomBytes } from 'node:crypto';
import { type Bytes, concat, fromHex, toHex } from '../../shared/codec/bytes.ts';
import { encodeEid } from '../../sim/coding.ts';
import { type EcKey, generateKey, rawToDer, sign } from '../../sim/curve.ts';
import { entryOf } from '../../sim/eum.ts';
import {
  type EuiccDataBatch,
  type EuiccEntry,
  encodeEuiccDataBatch,
  encodeOneTimeKeyTbs,
} from '../../sim/ifpp-draft1.ts';
import { CURVES, type PersonalisedEuicc, SimCi, SimEum } from '../../sim/index.ts';
import { readTlv, tlv } from '../../sim/tlv.ts';

export const MAKER = '2.999.50';

/** An EUM's production run of three eUICCs with two keys each, and how a batch of it is written. */
export class Production {
  readonly ci: SimCi;
  readonly eum: SimEum;
  readonly dataKey: EcKey = generateKey('p256');
  readonly euiccs: readonly PersonalisedEuicc[];

  constructor(ci: SimCi = SimCi.create(), eum: SimEum = SimEum.create({ ci })) {
    this.ci = ci;
    this.eum = eum;
    this.euiccs = [...eum.production(3, 2)];
  }

  get content(): EuiccDataBatch {
    const [first] = this.euiccs;
    return {
      batchId: randomBytes(16),
      ciPkId: this.eum.ciPkId,
      curve: CURVES.p256.oid,
      eumChain: [this.eum.ca.certificate],
      euiccInfo2: first!.euiccInfo2,
      entries: this.euiccs.map((euicc) => entryOf(euicc, first!.euiccInfo2)),
      deviceManufacturers: [MAKER],
    };
  }

  write(
    change: (batch: EuiccDataBatch) => Partial<EuiccDataBatch> = () => ({}),
    signData: (fields: Bytes) => Bytes = (fields) => sign(this.dataKey, fields),
  ): Bytes {
    return encodeEuiccDataBatch({ ...this.content, ...change(this.content) }, signData);
  }

  /** The octets that the first key of the second eUICC has to sign. */
  get tbs(): Bytes {
    const [, second] = this.euiccs;
    const [key] = this.content.entries[1]!.oneTimeKeys;
    return encodeOneTimeKeyTbs(second!.eid, key!.keyId, key!.otPk, sha256(second!.euiccInfo2));
  }

  /** The first proof of the second entry, made anew. */
  withProof(proof: (tbs: Bytes, euicc: PersonalisedEuicc) => Bytes): Bytes {
    return this.write(({ entries }) => ({
      entries: entries.map((entry, at) =>
        at === 1 ? reproved(entry, proof(this.tbs, this.euiccs[1]!)) : entry,
      ),
    }));
  }
}

const reproved = (entry: EuiccEntry, proof: Bytes): EuiccEntry => ({
  ...entry,
  oneTimeKeys: entry.oneTimeKeys.map((key, at) => (at === 0 ? { ...key, proof } : key)),
});

export const sha256 = (octets: Bytes): Bytes => createHash('sha256').update(octets).digest();

/** A mistake that implementers make: the rule that it breaks, and what is told of it. */
export interface EumFault {
  readonly what: string;
  readonly rule: string;
  readonly tells: RegExp;
  /** The octets that should have been signed are told. */
  readonly signs?: 'proof' | 'signature';
  readonly batch: (production: Production) => Bytes;
}

/** OneTimeKeyTbs with one field exchanged. */
function tbsWith(tbs: Bytes, tag: number, value: Bytes): Bytes {
  const parts: Bytes[] = [];
  const { value: fields } = readTlv(tbs);
  for (let at = 0; at < fields.length; ) {
    const element = readTlv(fields, at);
    parts.push(element.tag === tag ? tlv(tag, value) : element.raw);
    at += element.raw.length;
  }
  return tlv(0xff64, ...parts);
}

export const EUM_FAULTS: readonly EumFault[] = [
  {
    what: 'the hash of EuiccInfo2 is taken without its tag',
    rule: 'eum.proof.signs',
    tells: /euiccInfo2Hash over EuiccInfo2 without its tag BF22/,
    signs: 'proof',
    batch: (production) =>
      production.withProof((tbs, { key, euiccInfo2 }) =>
        sign(key, tbsWith(tbs, 0x83, sha256(readTlv(euiccInfo2).value))),
      ),
  },
  {
    what: 'the hash in the proof is of another algorithm',
    rule: 'eum.proof.signs',
    tells: /EuiccInfo2 with SHA-1/,
    signs: 'proof',
    batch: (production) =>
      production.withProof((tbs, { key, euiccInfo2 }) =>
        sign(key, tbsWith(tbs, 0x83, createHash('sha1').update(euiccInfo2).digest())),
      ),
  },
  {
    what: 'the proof is over the EID of another eUICC',
    rule: 'eum.proof.signs',
    tells: /with the EID 89049032/,
    signs: 'proof',
    batch: (production) =>
      production.withProof((tbs, { key }) =>
        sign(key, tbsWith(tbs, 0x80, encodeEid(production.euiccs[0]!.eid))),
      ),
  },
  {
    what: 'the proof is in DER',
    rule: 'eum.proof.form',
    tells: /DER ECDSA-Sig-Value/,
    batch: (production) => production.withProof((tbs, { key }) => rawToDer(sign(key, tbs))),
  },
  {
    what: 'the proof is over the fields without FF64',
    rule: 'eum.proof.signs',
    tells: /fields without FF64 and its length/,
    signs: 'proof',
    batch: (production) => production.withProof((tbs, { key }) => sign(key, readTlv(tbs).value)),
  },
  {
    what: 'the octets are hashed before they are signed with a hash',
    rule: 'eum.proof.signs',
    tells: /hashed again/,
    signs: 'proof',
    batch: (production) => production.withProof((tbs, { key }) => sign(key, sha256(tbs))),
  },
  {
    what: 'the CA key of the EUM signs the proof',
    rule: 'eum.proof.signs',
    tells: /key of the EUM certificate signed the right octets/,
    signs: 'proof',
    batch: (production) => production.withProof((tbs) => sign(production.eum.ca.key, tbs)),
  },
  {
    what: 'the one-time key signs itself',
    rule: 'eum.proof.signs',
    tells: /one-time key itself signed the right octets/,
    signs: 'proof',
    batch: (production) => production.withProof((tbs, { oneTimeKeys }) => sign(oneTimeKeys[0]!.key, tbs)),
  },
  {
    what: 'the keyId is signed as text',
    rule: 'eum.proof.signs',
    tells: /keyId as text/,
    signs: 'proof',
    batch: (production) =>
      production.withProof((tbs, { key, oneTimeKeys }) =>
        sign(key, tbsWith(tbs, 0x81, Buffer.from(toHex(oneTimeKeys[0]!.keyId)))),
      ),
  },
  {
    what: 'r and s are little-endian',
    rule: 'eum.proof.signs',
    tells: /little-endian/,
    signs: 'proof',
    batch: (production) =>
      production.withProof((tbs, { key }) => {
        const raw = sign(key, tbs);
        return concat(raw.slice(0, 32).reverse(), raw.slice(32).reverse());
      }),
  },
  {
    what: 'EuiccInfo2 in the batch is without its tag',
    rule: 'eum.info2.tag',
    tells: /where BF22 belongs|cut off|length/,
    batch: (production) => production.write(({ euiccInfo2 }) => ({ euiccInfo2: readTlv(euiccInfo2).value })),
  },
  {
    what: 'a one-time key is compressed',
    rule: 'eum.key.octets',
    tells: /33 octets/,
    batch: (production) =>
      production.write(({ entries }) => ({
        entries: entries.map((entry, at) => ({
          ...entry,
          oneTimeKeys: entry.oneTimeKeys.map((key, index) => {
            if (at !== 1 || index !== 0) return key;
            const otPk = concat(Uint8Array.of(2 + (key.otPk[64]! & 1)), key.otPk.subarray(1, 33));
            const euicc = production.euiccs[1]!;
            const tbs = encodeOneTimeKeyTbs(euicc.eid, key.keyId, otPk, sha256(euicc.euiccInfo2));
            return { ...key, otPk, proof: sign(euicc.key, tbs) };
          }),
        })),
      })),
  },
  {
    what: 'two entries have exchanged their certificates',
    rule: 'eum.cert.eid',
    tells: /serialNumber 89049032/,
    batch: (production) =>
      production.write(({ entries: [first, second, third] }) => ({
        entries: [
          { ...first!, euiccCert: second!.euiccCert },
          { ...second!, euiccCert: first!.euiccCert },
          third!,
        ],
      })),
  },
  {
    what: 'the chain is of another EUM',
    rule: 'eum.chain.order',
    tells: /its issuer is|signature, the key identifiers/,
    batch: (production) =>
      production.write(() => ({ eumChain: [SimCi.create({ cn: 'Another CI' }).issueEum().certificate] })),
  },
  {
    what: 'an extension of the EUM certificate is cut off',
    rule: 'eum.chain.order',
    tells: /cut off|length|octets behind|belongs|signature/,
    batch: (production) => {
      const certificate = Uint8Array.from(production.eum.ca.certificate);
      // the length inside certificatePolicies (2.5.29.32)
      const at = Buffer.from(certificate).indexOf(Buffer.from('0603551d20', 'hex'));
      certificate[at + 11]! ^= 0x10;
      return production.write(() => ({ eumChain: [certificate] }));
    },
  },
  {
    what: 'ciPkId is that of the EUM',
    rule: 'eum.chain.ci',
    tells: /^[0-9a-f]{40}$/,
    batch: (production) => production.write(() => ({ ciPkId: production.eum.ca.keyId })),
  },
  {
    what: 'the data key signs the whole batch with FF60',
    rule: 'eum.signature.signs',
    tells: /FF60 and its length included/,
    signs: 'signature',
    batch: (production) =>
      production.write(undefined, (fields) => sign(production.dataKey, tlv(0xff60, fields))),
  },
  {
    what: 'the CA key of the EUM signs the batch',
    rule: 'eum.signature.signs',
    tells: /key of the EUM certificate signed the right octets/,
    signs: 'signature',
    batch: (production) => production.write(undefined, (fields) => sign(production.eum.ca.key, fields)),
  },
  {
    what: 'a length is not in its shortest form',
    rule: 'eum.batch.der',
    tells: /not minimal/,
    batch: (production) => {
      const { value, headerLength } = readTlv(production.write());
      const length = toHex(production.write().subarray(2, headerLength)).slice(2);
      return concat(fromHex(`ff60${(0x80 + length.length / 2 + 1).toString(16)}00${length}`), value);
    },
  },
];
